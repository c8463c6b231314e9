"""Everything of a release besides its pods, and when it is there."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from service.errors import Outcome
from service.metrics import Metrics
from tests.helm.rendering import ANCIENT, NEW, OLD, render

KEDA: dict[str, Any] = {"kind": "keda", "keda": {"serverAddress": "http://prometheus:9090"}}
SERVER = {
    "app.kubernetes.io/name": "stylize",
    "app.kubernetes.io/instance": "r",
    "app.kubernetes.io/component": "server",
}


def test_a_plain_release_has_what_it_needs_and_no_more() -> None:
    kinds = sorted(each["kind"] for each in render())
    assert kinds == [
        "ConfigMap", "Deployment", "NetworkPolicy", "Pod", "Pod", "Pod", "Service", "Service", "ServiceAccount",
    ]  # fmt: skip


def test_names_can_be_chosen() -> None:
    assert render(release="stylize").one("Deployment")["metadata"]["name"] == "stylize"
    assert render({"nameOverride": "art"}).one("Deployment")["metadata"]["name"] == "r-art"
    assert render({"fullnameOverride": "art"}).one("Deployment")["metadata"]["name"] == "art"


def test_the_services_find_the_pods_and_not_those_of_the_tests() -> None:
    release = render({"service": {"type": "LoadBalancer", "port": 8000, "annotations": {"a": "b"}}})
    public, metrics = release.one("Service", "r-stylize"), release.one("Service", "r-stylize-metrics")
    assert public["spec"]["selector"] == metrics["spec"]["selector"] == SERVER
    labels = release.one("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert labels.items() >= SERVER.items()
    assert not any(pod["metadata"]["labels"].items() >= SERVER.items() for pod in release.all("Pod"))
    assert public["spec"]["type"] == "LoadBalancer"
    assert public["metadata"]["annotations"] == {"a": "b"}
    assert [(port["port"], port["targetPort"]) for port in public["spec"]["ports"]] == [(8000, "http")]


def test_every_port_says_its_protocol_without_which_helm_4_and_kubernetes_1_20_refuse_it() -> None:
    release = render(kube=ANCIENT)
    ports = [port for service in release.all("Service") for port in service["spec"]["ports"]]
    ports += release.container["ports"]
    assert [port.get("protocol") for port in ports] == ["TCP"] * 4


def test_metrics_never_leave_the_cluster_and_are_there_before_a_pod_is_ready() -> None:
    metrics = render({"service": {"type": "LoadBalancer"}}).one("Service", "r-stylize-metrics")["spec"]
    assert metrics["type"] == "ClusterIP"
    assert metrics["publishNotReadyAddresses"] is True
    assert [(port["port"], port["targetPort"]) for port in metrics["ports"]] == [(9090, "admin")]


def test_a_service_account_is_made_without_a_token() -> None:
    account = render({"serviceAccount": {"annotations": {"a": "b"}}}).one("ServiceAccount")
    assert account["automountServiceAccountToken"] is False
    assert account["metadata"]["annotations"] == {"a": "b"}


@pytest.mark.parametrize(
    ("account", "name", "made"),
    [
        ({}, "r-stylize", True),
        ({"name": "mine"}, "mine", True),
        ({"create": False}, "default", False),
        ({"create": False, "name": "mine"}, "mine", False),
    ],
)
def test_pods_run_as_the_account_that_is_made_or_named(
    account: dict[str, Any], name: str, made: bool
) -> None:
    release = render({"serviceAccount": account})
    assert release.pod["serviceAccountName"] == name
    assert [each["metadata"]["name"] for each in release.all("ServiceAccount")] == [name] * made


@pytest.mark.parametrize("keys", [{}, {"existingSecret": "mine"}])
def test_a_secret_is_made_only_of_keys_in_the_values(keys: dict[str, Any]) -> None:
    assert not render({"apiKeys": keys}).all("Secret")


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
    assert "There is no autoscaling: this cluster has no autoscaling/v2, so there are 3 pods" in _notes(old)
    new = render(values, chart=complete_chart)
    assert new.all("HorizontalPodAutoscaler")
    assert "no autoscaling" not in _notes(new)


def test_keda_looks_at_requests_in_flight_and_at_refused_ones_as_if_they_were() -> None:
    spec = render({"autoscaling": KEDA}).one("ScaledObject")["spec"]
    assert not render({"autoscaling": KEDA}).all("HorizontalPodAutoscaler")  # KEDA makes it
    (trigger,) = spec["triggers"]
    series = 'namespace="pictures",pod=~"r-stylize-.*"'
    assert trigger["metadata"]["query"] == (
        f"sum(stylize_in_flight{{{series}}}) "
        f'+ sum(rate(stylize_requests_total{{outcome=~"shed_.*",{series}}}[2m])) '
        f'* (sum(rate(stylize_stage_duration_seconds_sum{{stage="optimise",{series}}}[2m])) '
        f'/ (sum(rate(stylize_stage_duration_seconds_count{{stage="optimise",{series}}}[2m])) > 0) or vector(0))'
    )
    assert trigger["metadata"]["threshold"] == "1"
    # No answer must not look like no demand.
    assert trigger["metadata"]["ignoreNullValues"] == "false"
    assert spec["fallback"] == {"failureThreshold": 3, "replicas": 2}
    assert "authenticationRef" not in trigger


QUERY_CASES = {
    # Each pod: (in flight, refused a minute, pictures a minute, engine's seconds a minute); what KEDA gets.
    "idle": ([(0, 0, 0, 0)], 0),
    "busy": ([(1, 0, 60, 30), (3, 0, 60, 30)], 4),
    "refusing": (
        [(5, 120, 60, 60), (5, 0, 60, 60)],
        12,
    ),  # 2 refused a second, each worth a second of an engine
    "refusing, and nothing painted yet": ([(5, 120, 0, 0)], 5),
}


@pytest.mark.parametrize(("pods", "demand"), QUERY_CASES.values(), ids=QUERY_CASES.keys())
def test_prometheus_answers_keda_with_the_pods_worth_of_demand(
    pods: list[tuple[float, ...]], demand: float, tmp_path: Path
) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: the Debian package prometheus has it")
    (trigger,) = render({"autoscaling": KEDA}).one("ScaledObject")["spec"]["triggers"]
    series = []
    for number, (inside, refused, painted, seconds) in enumerate(pods):
        labels = f'namespace="pictures",pod="r-stylize-{number}"'
        stage = f'stage="optimise",{labels}'
        series += [
            {"series": f"stylize_in_flight{{{labels}}}", "values": f"{inside}x10"},
            *(
                {"series": name, "values": f"0+{each}x10"}
                for name, each in (
                    (f'stylize_requests_total{{outcome="shed_queue_full",{labels}}}', refused),
                    (f'stylize_requests_total{{outcome="ok",{labels}}}', painted),
                    (f"stylize_stage_duration_seconds_count{{{stage}}}", painted),
                    (f"stylize_stage_duration_seconds_sum{{{stage}}}", seconds),
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
    shed = [outcome for outcome in get_args(Outcome) if outcome.startswith("shed_")]
    assert shed
    assert all(f'\nstylize_requests_total{{outcome="{outcome}"}} 0.0' in text for outcome in shed)


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


TESTS = {"podSelector": {"matchLabels": SERVER | {"app.kubernetes.io/component": "test"}}}
PEER = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gateways"}}}


def test_requests_may_come_from_anywhere_and_scrapes_from_prometheus_only() -> None:
    spec = render().one("NetworkPolicy")["spec"]
    assert spec["podSelector"] == {"matchLabels": SERVER}
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    public, admin = spec["ingress"]
    assert public == {"ports": [{"port": "http"}]}
    assert admin["ports"] == [{"port": "admin"}]
    assert admin["from"][0]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "monitoring"
    }
    assert admin["from"][1:] == [TESTS]


def test_requests_can_be_let_in_from_some_only_and_from_the_chart_s_own_test() -> None:
    public, admin = render({"networkPolicy": {"httpFrom": [PEER], "metricsFrom": []}}).one("NetworkPolicy")[
        "spec"
    ]["ingress"]
    assert public["from"] == [PEER, TESTS]
    assert admin["from"] == [TESTS]


def test_nothing_goes_out_but_questions_for_names() -> None:
    (dns,) = render().one("NetworkPolicy")["spec"]["egress"]
    assert {port["port"] for port in dns["ports"]} == {53}
    assert [peer["namespaceSelector"]["matchLabels"] for peer in dns["to"]] == [
        {"kubernetes.io/metadata.name": "kube-system"}
    ]


def test_what_goes_out_can_be_nothing_or_more() -> None:
    assert "egress" not in render({"networkPolicy": {"dnsTo": []}}).one("NetworkPolicy")["spec"]
    https = {"ports": [{"port": 443}]}
    policy = {"dnsTo": [], "otlpTo": [PEER], "extraEgress": [https]}
    assert render({"networkPolicy": policy}).one("NetworkPolicy")["spec"]["egress"] == [
        {"ports": [{"port": 4317}, {"port": 4318}], "to": [PEER]},
        https,
    ]


def test_the_policy_can_be_left_out() -> None:
    assert not render({"networkPolicy": {"enabled": False}}).all("NetworkPolicy")


@pytest.mark.parametrize("monitor", ["none", "podMonitor", "serviceMonitor"])
def test_there_is_the_one_monitor_that_was_asked_for(monitor: str) -> None:
    release = render({"monitoring": {"monitor": monitor, "labels": {"release": "prometheus"}}})
    found = [*release.all("PodMonitor"), *release.all("ServiceMonitor")]
    assert [each["kind"].lower() for each in found] == [monitor.lower()] * (monitor != "none")
    for each in found:
        assert each["metadata"]["labels"]["release"] == "prometheus"
        (endpoint,) = each["spec"].get("podMetricsEndpoints") or each["spec"]["endpoints"]
        assert endpoint == {"port": "admin", "path": "/metrics", "interval": "15s", "scrapeTimeout": "10s"}


def test_the_service_monitor_finds_the_metrics_service_and_not_the_public_one() -> None:
    release = render({"monitoring": {"monitor": "serviceMonitor"}})
    wanted = release.one("ServiceMonitor")["spec"]["selector"]["matchLabels"].items()
    found = [each for each in release.all("Service") if each["metadata"]["labels"].items() >= wanted]
    assert [each["metadata"]["name"] for each in found] == ["r-stylize-metrics"]


def test_rules_and_dashboard_are_the_files_of_the_chart_to_the_letter(complete_chart: Path) -> None:
    monitoring = {"rules": True, "dashboard": True, "labels": {"release": "prometheus"}}
    release = render({"monitoring": monitoring}, chart=complete_chart)
    rule = release.one("PrometheusRule")
    assert rule["spec"] == yaml.safe_load((complete_chart / "files" / "rules.yaml").read_text())
    assert rule["metadata"]["labels"]["release"] == "prometheus"
    dashboard = release.one("ConfigMap", "r-stylize-dashboard")
    file = json.loads((complete_chart / "files" / "dashboard.json").read_text())
    assert json.loads(dashboard["data"]["stylize.json"]) == file
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_rules_and_dashboard_are_left_out_unless_asked_for(complete_chart: Path) -> None:
    release = render(chart=complete_chart)
    assert not release.all("PrometheusRule")
    assert len(release.all("ConfigMap")) == 1


def test_an_ingress_leads_to_the_service() -> None:
    tls = [{"secretName": "t", "hosts": ["a.example.org"]}]
    ingress = {"enabled": True, "className": "nginx", "hosts": ["a.example.org", "b.example.org"], "tls": tls}
    spec = render({"ingress": ingress}).one("Ingress")["spec"]
    assert spec["ingressClassName"] == "nginx"
    assert spec["tls"] == tls
    assert [rule["host"] for rule in spec["rules"]] == ["a.example.org", "b.example.org"]
    for rule in spec["rules"]:
        (path,) = rule["http"]["paths"]
        assert path["path"] == "/"
        assert path["backend"]["service"] == {"name": "r-stylize", "port": {"name": "http"}}


def test_an_ingress_without_hosts_takes_every_host_and_the_cluster_s_class() -> None:
    spec = render({"ingress": {"enabled": True}}).one("Ingress")["spec"]
    assert [rule.get("host") for rule in spec["rules"]] == [None]
    assert not {"ingressClassName", "tls"} & spec.keys()


def test_annotations_of_an_ingress_are_rendered_and_win() -> None:
    own = {
        "haproxy.org/timeout-server": '{{ include "stylize.routeSeconds" . }}s',
        "nginx.ingress.kubernetes.io/proxy-body-size": "1m",
    }
    annotations = render({"ingress": {"enabled": True, "annotations": own}}).one("Ingress")["metadata"][
        "annotations"
    ]
    assert annotations["haproxy.org/timeout-server"] == "365s"
    assert annotations["nginx.ingress.kubernetes.io/proxy-body-size"] == "1m"
    assert annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"] == "365"
    other = render({"ingress": {"enabled": True, "nginx": False}}).one("Ingress")
    assert "annotations" not in other["metadata"]


def test_a_route_of_the_gateway_api_leads_to_the_service() -> None:
    route = {
        "enabled": True,
        "parentRefs": [{"name": "g"}],
        "hostnames": ["a.example.org"],
        "annotations": {"a": "b"},
    }
    made = render({"httpRoute": route, "service": {"port": 81}}).one("HTTPRoute")
    assert made["spec"]["parentRefs"] == [{"name": "g"}]
    assert made["spec"]["hostnames"] == ["a.example.org"]
    assert made["metadata"]["annotations"] == {"a": "b"}
    (rule,) = made["spec"]["rules"]
    assert rule["backendRefs"] == [{"name": "r-stylize", "port": 81}]
    anywhere = render({"httpRoute": {"enabled": True, "parentRefs": [{"name": "g"}]}}).one("HTTPRoute")
    assert "hostnames" not in anywhere["spec"]


def test_the_tests_are_pods_of_the_service_s_image_that_ask_the_services() -> None:
    release = render({"service": {"port": 81}, "settings": {"adminPort": 9000}})
    asked = {pod["metadata"]["name"]: pod["spec"]["containers"][0] for pod in release.all("Pod")}
    assert {name: container["args"] for name, container in asked.items()} == {
        "r-stylize-test-health": ["health", "r-stylize", "81"],
        "r-stylize-test-stylize": ["stylize", "r-stylize", "81"],
        "r-stylize-test-metrics": ["metrics", "r-stylize-metrics", "9000"],
    }
    for pod in release.all("Pod"):
        assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
        assert pod["spec"]["restartPolicy"] == "Never"
        assert pod["spec"]["containers"][0]["image"] == release.container["image"]
    assert not render({"tests": {"enabled": False}}).all("Pod")


def test_the_test_that_paints_has_a_key_where_one_is_needed() -> None:
    release = render({"apiKeys": {"existingSecret": "callers", "secretKey": "list"}})
    with_keys = [pod for pod in release.all("Pod") if "volumes" in pod["spec"]]
    assert [pod["metadata"]["name"] for pod in with_keys] == ["r-stylize-test-stylize"]
    (container,) = with_keys[0]["spec"]["containers"]
    assert container["env"] == [{"name": "KEYS_FILE", "value": "/run/secrets/stylize/list"}]
    assert with_keys[0]["spec"]["volumes"] == [{"name": "keys", "secret": {"secretName": "callers"}}]


def _notes(release: Any) -> str:
    text = release.all("Notes")[0]["text"]
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        (
            {},
            [
                "kubectl -n pictures port-forward service/r-stylize 8080:80 &",
                "URL=http://127.0.0.1:8080",
                "curl --fail-with-body -F content=@photo.jpg -F style=@artwork.jpg -o painted.png $URL/stylize",
                "A request can take up to 360 s",
                "Everybody who reaches the service may use it",
                "painting on nvidia.com/gpu.",
            ],
        ),
        (
            {
                "gpu": {"resource": ""},
                "apiKeys": {"existingSecret": "a"},
                "ingress": {"enabled": True, "hosts": ["a.example.org"], "tls": [{}]},
                "monitoring": {"monitor": "podMonitor"},
            },
            [
                "URL=https://a.example.org",
                '-H "Authorization: Bearer $KEY" -o painted.png $URL/stylize',
                "Only the peers in networkPolicy.metricsFrom may scrape the metrics.",
                "painting on the CPU.",
            ],
        ),
        (
            {"httpRoute": {"enabled": True, "parentRefs": [{"name": "g"}], "hostnames": ["h.example.org"]}},
            ["URL=http://h.example.org"],
        ),
    ],
)
def test_the_notes_say_how_to_paint_with_this_release(
    values: dict[str, Any], lines: list[str], complete_chart: Path
) -> None:
    notes = _notes(render(values, chart=complete_chart))
    assert [line for line in lines if line not in notes] == []
    assert ("Everybody who reaches" in notes) == ("apiKeys" not in values)


def test_the_notes_say_when_the_chart_was_packaged_without_rules(
    complete_chart: Path, tmp_path: Path
) -> None:
    import shutil

    chart = shutil.copytree(complete_chart, tmp_path / "stylize")
    (chart / "files" / "rules.yaml").unlink()
    (chart / "files" / "dashboard.json").unlink()
    release = render({"monitoring": {"rules": True, "dashboard": True}}, chart=chart)
    assert not release.all("PrometheusRule")
    assert "packaged without files/rules.yaml" in _notes(release)
    assert "packaged without files/dashboard.json" in _notes(release)
