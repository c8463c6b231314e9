"""The rules of a release, tried by promtool."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm.rendering import render


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("there is no Prometheus: apt-get install prometheus")
    return found


def firing(
    promtool: str,
    folder: Path,
    alert: str,
    series: dict[str, str],
    expected: list[dict[str, Any]],
    *,
    values: dict[str, Any] | None = None,
    minutes: int = 10,
) -> subprocess.CompletedProcess[str]:
    """Let promtool say whether the alert of a release "stylize" fires as expected after so many minutes."""
    monitoring = {"rules": True} | (values or {}).get("monitoring", {})
    release = render((values or {}) | {"monitoring": monitoring}, release="stylize")
    (folder / "rules.yaml").write_text(yaml.safe_dump(release.one("PrometheusRule")["spec"]))
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": each} for name, each in series.items()],
        "alert_rule_test": [
            {"alertname": alert, "eval_time": f"{minutes}m", "exp_alerts": expected},
        ],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": [test]}))
    return subprocess.run(
        [promtool, "test", "rules", folder / "test.yaml"], capture_output=True, text=True, check=False
    )


OTHER = 'stylize_engine_state{namespace="pictures",job="b",pod="stylize-b-7d9f8b6c5-x2c4z",state="ready"}'
OURS = 'stylize_engine_state{namespace="pictures",job="a",pod="stylize-7d9f8b6c5-x2c4z",state="ready"}'


def _alert(name: str, **labels: str) -> dict[str, Any]:
    return {
        "exp_labels": {"severity": "critical", "namespace": "pictures"} | labels,
        "exp_annotations": {
            "summary": f"No instance of {name} is ready.",
            "description": "Every request is refused, as no engine has been ready for 2 minutes, or none is "
            "scraped at all.",
            "runbook_url": "docs/run/runbooks/StylizeNoneReady.md",
        },
    }


@pytest.mark.parametrize(
    ("series", "minutes", "expected"),
    [
        ({OURS: "1x200", OTHER: "1x200"}, 10, []),
        # Ours were never there, or have been gone for hours; another release in the same namespace lives.
        ({OTHER: "1x200"}, 10, [_alert("stylize")]),
        ({OURS: "1x9 stale", OTHER: "1x200"}, 20, [_alert("a", job="a")]),
        ({OURS: "1x9 stale", OTHER: "1x200"}, 190, [_alert("stylize")]),
        ({OURS: "0x200", OTHER: "1x200"}, 10, [_alert("a", job="a")]),
    ],
    ids=["both live", "ours never came", "ours went", "ours went hours ago", "ours are not ready"],
)
def test_it_is_known_which_pods_there_should_be(
    series: dict[str, str], minutes: int, expected: list[dict[str, Any]], promtool: str, tmp_path: Path
) -> None:
    done = firing(promtool, tmp_path, "StylizeNoneReady", series, expected, minutes=minutes)
    assert done.returncode == 0, done.stdout + done.stderr


TO_ZERO = {
    "autoscaling": {
        "kind": "keda",
        "keda": {
            "serverAddress": "http://prometheus:9090",
            "idleReplicaCount": 0,
            "extraTriggers": [{"type": "cron", "metadata": {"desiredReplicas": "1"}}],
        },
    }
}
REPLICAS = 'kube_deployment_spec_replicas{namespace="pictures",deployment="stylize"}'


@pytest.mark.parametrize(
    ("replicas", "expected"), [("0x200", []), ("1x200", [_alert("stylize")]), ("_x200", [_alert("stylize")])]
)
def test_where_zero_is_meant_none_ready_is_no_outage(
    replicas: str, expected: list[dict[str, Any]], promtool: str, tmp_path: Path
) -> None:
    done = firing(
        promtool, tmp_path, "StylizeNoneReady", {OTHER: "1x200", REPLICAS: replicas}, expected, values=TO_ZERO
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_autoscaler_that_is_asked_for_is_the_release_s() -> None:
    release = render({"monitoring": {"rules": True}}, release="stylize")
    groups = release.one("PrometheusRule")["spec"]["groups"]
    rules = {rule.get("alert"): rule for group in groups for rule in group["rules"]}
    expr = rules["StylizeAutoscalerAtMaximum"]["expr"]
    assert expr.count('{namespace="pictures",horizontalpodautoscaler="stylize"}') == 2
    assert "=~" not in expr
