"""How many pods there are, and how many of them may be evicted."""

import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
import yaml

from service.monitoring.metrics import Metrics
from service.problems import Outcome
from tests.helm.rendering import ANCIENT, NEW, OLD, SERVER, render

KEDA: dict[str, Any] = {"kind": "keda", "keda": {"serverAddress": "http://prometheus:9090"}}


def test_kubernetes_own_autoscaler_looks_at_requests_in_a_pod() -> None:
    spec = render({"autoscaling": {"kind": "hpa", "minReplicas": 2, "maxReplicas": 9}}).one(
        "HorizontalPodAutoscaler"
    )["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "r-stylize"}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 9)
    (metric,) = spec["metrics"]
    assert metric["pods"]["metric"]["name"] == "stylize_in_flight"
    assert metric["pods"]["target"] == {"type": "AverageValue", "averageValue": "1"}
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] >= 300


def test_kubernetes_own_autoscaler_can_look_at_the_cpu() -> None:
    hpa = {"inFlightMetric": "", "cpuUtilization": 80}
    spec = render({"autoscaling": {"kind": "hpa", "hpa": hpa}}).one("HorizontalPodAutoscaler")["spec"]
    (metric,) = spec["metrics"]
    assert metric["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}


def test_an_autoscaler_that_the_cluster_does_not_know_is_left_out_with_a_word(complete_chart: Path) -> None:
    values = {"autoscaling": {"kind": "hpa"}, "replicaCount": 3}
    old = render(values, kube=ANCIENT, chart=complete_chart)
    assert not old.all("HorizontalPodAutoscaler")
    assert "There is no autoscaling: this cluster has no autoscaling/v2, so there are 3 pods" in old.notes
    new = render(values, chart=complete_chart)
    assert new.all("HorizontalPodAutoscaler")
    assert "no autoscaling" not in new.notes


def test_an_autoscaler_of_somebody_else_is_not_made() -> None:
    release = render({"autoscaling": {"kind": "external"}})
    assert not [*release.all("HorizontalPodAutoscaler"), *release.all("ScaledObject")]


def test_keda_looks_at_requests_in_flight_and_at_refused_ones_as_if_they_were() -> None:
    spec = render({"autoscaling": KEDA}).one("ScaledObject")["spec"]
    assert not render({"autoscaling": KEDA}).all("HorizontalPodAutoscaler")  # KEDA makes it
    (trigger,) = spec["triggers"]
    series = 'namespace="pictures",pod=~"r-stylize-[a-z0-9]+-[a-z0-9]{5}"'
    assert trigger["metadata"]["query"] == (
        f"sum(stylize_in_flight{{{series}}}) "
        f'+ sum(rate(stylize_requests_total{{outcome=~"shed_queue_full|shed_deadline",{series}}}[2m])) '
        f'* (sum(rate(stylize_stage_duration_seconds_sum{{stage="optimise",{series}}}[2m])) '
        f'/ (sum(rate(stylize_stage_duration_seconds_count{{stage="optimise",{series}}}[2m])) > 0) or vector(0))'
    )
    assert trigger["metadata"]["threshold"] == "1"
    # No answer must not look like no demand.
    assert trigger["metadata"]["ignoreNullValues"] == "false"
    assert spec["fallback"] == {"failureThreshold": 3, "replicas": 2}
    assert "authenticationRef" not in trigger


class Pod(NamedTuple):
    """What one says of itself; all but the first for each minute."""

    inside: float = 0
    refused: float = 0
    painted: float = 0
    seconds: float = 0
    over_own_limit: float = 0
    not_ready: float = 0
    name: str = "stylize-7d9f8b6c5-x2c4z"


QUERY_CASES = {
    "idle": ([Pod()], 0),
    "busy": ([Pod(1, 0, 60, 30), Pod(3, 0, 60, 30, name="stylize-7d9f8b6c5-bbbbb")], 4),
    # 2 refused a second, each worth a second of an engine
    "refusing": ([Pod(5, 120, 60, 60), Pod(5, 0, 60, 60, name="stylize-7d9f8b6c5-bbbbb")], 12),
    "refusing, and nothing painted yet": ([Pod(5, 120)], 5),
    # 20 a second, each of which would be worth half a second of an engine
    "one caller over its own limit": ([Pod(1, 0, 60, 30, over_own_limit=1200)], 1),
    "refused while it starts": ([Pod(0, 0, 60, 30, not_ready=1200)], 0),
    "others whose names begin alike": (
        [
            Pod(1, 0, 60, 30),
            Pod(5, 600, 60, 60, name="stylize-canary-7d9f8b6c5-x2c4z"),
            Pod(5, 600, 60, 60, name="stylize-2-7d9f8b6c5-x2c4z"),
        ],
        1,
    ),
}


@pytest.mark.parametrize(("pods", "demand"), QUERY_CASES.values(), ids=QUERY_CASES.keys())
def test_prometheus_answers_keda_with_the_pods_worth_of_demand(
    pods: list[Pod], demand: float, tmp_path: Path
) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("there is no Prometheus: apt-get install prometheus")
    release = render({"autoscaling": KEDA}, release="stylize")
    (trigger,) = release.one("ScaledObject")["spec"]["triggers"]
    series = []
    for pod in pods:
        labels = f'namespace="pictures",pod="{pod.name}"'
        stage = f'stage="optimise",{labels}'
        series += [
            {"series": f"stylize_in_flight{{{labels}}}", "values": f"{pod.inside}x10"},
            *(
                {"series": name, "values": f"0+{each}x10"}
                for name, each in (
                    (f'stylize_requests_total{{outcome="shed_queue_full",{labels}}}', pod.refused),
                    (f'stylize_requests_total{{outcome="shed_key_limit",{labels}}}', pod.over_own_limit),
                    (f'stylize_requests_total{{outcome="shed_not_ready",{labels}}}', pod.not_ready),
                    (f'stylize_requests_total{{outcome="ok",{labels}}}', pod.painted),
                    (f"stylize_stage_duration_seconds_count{{{stage}}}", pod.painted),
                    (f"stylize_stage_duration_seconds_sum{{{stage}}}", pod.seconds),
                )
            ),
        ]
    question = {
        "expr": trigger["metadata"]["query"],
        "eval_time": "10m",
        "exp_samples": [{"labels": "{}", "value": demand}],
    }
    file = tmp_path / "test.yaml"
    file.write_text(
        yaml.safe_dump(
            {"tests": [{"interval": "1m", "input_series": series, "promql_expr_test": [question]}]}
        )
    )
    done = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_series_that_keda_asks_for_exist_before_the_first_request() -> None:
    from prometheus_client import generate_latest

    text = generate_latest(Metrics().registry).decode()
    assert "\nstylize_in_flight 0.0" in text
    shed = ["shed_queue_full", "shed_deadline"]
    # Of the others, one is a caller's own limit, and one a state: more pods would help neither.
    others = {"shed_key_limit", "shed_not_ready"}
    assert {outcome for outcome in get_args(Outcome) if outcome.startswith("shed_")} == others | set(shed)
    assert all(f'\nstylize_requests_total{{outcome="{outcome}"}} 0.0' in text for outcome in shed)


def test_keda_takes_the_last_pod_where_something_else_wakes_the_first() -> None:
    cron = {
        "type": "cron",
        "metadata": {"timezone": "Etc/UTC", "start": "0 8 * * 1-5", "desiredReplicas": "1"},
    }
    keda = KEDA["keda"] | {"idleReplicaCount": 0, "cooldownPeriod": 600, "extraTriggers": [cron]}
    spec = render({"autoscaling": {"kind": "keda", "keda": keda}}).one("ScaledObject")["spec"]
    assert (spec["idleReplicaCount"], spec["cooldownPeriod"], spec["minReplicaCount"]) == (0, 600, 1)
    demand, woken = spec["triggers"]
    assert demand["metadata"]["ignoreNullValues"] == "true"  # no pods, no series: that is no failure now
    assert woken == cron
    assert "idleReplicaCount" not in render({"autoscaling": KEDA}).one("ScaledObject")["spec"]


def test_keda_s_series_fallback_and_credentials_can_be_said() -> None:
    keda = KEDA["keda"] | {"selector": 'release="{{ .Release.Name }}"', "authenticationRef": "token"}
    spec = render({"autoscaling": {"kind": "keda", "minReplicas": 3, "keda": keda}}).one("ScaledObject")[
        "spec"
    ]
    assert all('release="r"' in trigger["metadata"]["query"] for trigger in spec["triggers"])
    assert all(trigger["authenticationRef"] == {"name": "token"} for trigger in spec["triggers"])
    assert spec["fallback"]["replicas"] == 3  # never fewer than the minimum


@pytest.mark.parametrize(
    ("values", "budgets"),
    [
        ({}, 0),
        ({"replicaCount": 2}, 1),
        ({"autoscaling": {"kind": "hpa"}}, 1),
        ({"autoscaling": KEDA}, 1),
        ({"autoscaling": {"kind": "external"}}, 1),
        ({"replicaCount": 2, "podDisruptionBudget": {"enabled": False}}, 0),
    ],
)
def test_evictions_are_limited_where_there_may_be_several_pods(values: dict[str, Any], budgets: int) -> None:
    found = render(values).all("PodDisruptionBudget")
    assert len(found) == budgets
    for budget in found:  # a single pod must not keep a node from being drained
        assert budget["spec"] == {"maxUnavailable": 1, "selector": {"matchLabels": SERVER}}


@pytest.mark.parametrize(
    ("kube", "version"), [(NEW, "policy/v1"), (OLD, "policy/v1"), (ANCIENT, "policy/v1beta1")]
)
def test_the_budget_has_the_version_that_the_cluster_knows(kube: str, version: str) -> None:
    assert render({"replicaCount": 2}, kube=kube).one("PodDisruptionBudget")["apiVersion"] == version
