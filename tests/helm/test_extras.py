"""What a cluster wants besides: containers, objects, options of the Service, weights of a route, other alerts."""

from typing import Any

import pytest
import yaml

from tests.helm.rendering import CHART, refusal, render

WRITTEN = {
    rule["alert"]: rule
    for group in yaml.safe_load((CHART / "files/rules.yaml").read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
}


def _alerts(**changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    values = {"monitoring": {"rules": True, "alerts": changes}}
    groups = render(values).one("PrometheusRule")["spec"]["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def test_containers_are_added_before_the_service_and_beside_it() -> None:
    init = {"name": "wait", "image": '{{ include "stylize.image" . }}'}
    proxy = {"name": "proxy", "image": "proxy:1", "args": ["{{ .Release.Name }}"]}
    pod = render({"extraInitContainers": [init], "extraContainers": [proxy]}).pod
    assert pod["initContainers"] == [{"name": "wait", "image": "localhost/stylize:0.1.0"}]
    assert [each["name"] for each in pod["containers"]] == ["stylize", "proxy"]
    assert pod["containers"][1]["args"] == ["r"]


def test_a_container_of_one_s_own_comes_before_the_one_that_fetches_weights() -> None:
    values = {
        "weights": {"source": "initContainer"},
        "settings": {"backbone": "vgg16"},
        "networkPolicy": {"extraEgress": [{}]},
        "extraInitContainers": [{"name": "first", "image": "i"}],
    }
    assert [each["name"] for each in render(values).pod["initContainers"]] == ["first", "weights"]


def test_objects_are_added_as_mappings_or_as_text() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-a'}\n"
    mapping = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-b"}}
    made = render({"extraObjects": [text, mapping]}).all("ConfigMap")
    assert {"r-a", "r-b"} < {each["metadata"]["name"] for each in made}


def test_the_deployment_has_annotations_and_a_scheduler_of_its_own() -> None:
    release = render({"deploymentAnnotations": {"a": "b"}, "schedulerName": "s"})
    assert release.one("Deployment")["metadata"]["annotations"] == {"a": "b"}
    assert release.pod["schedulerName"] == "s"
    assert "schedulerName" not in render().pod
    assert "annotations" not in render().one("Deployment")["metadata"]


def test_a_service_has_the_options_of_a_service() -> None:
    options = {
        "ipFamilyPolicy": "RequireDualStack",
        "ipFamilies": ["IPv6", "IPv4"],
        "externalTrafficPolicy": "Local",
        "loadBalancerClass": "c",
        "loadBalancerSourceRanges": ["203.0.113.0/24"],
    }
    release = render({"service": {"type": "LoadBalancer"} | options})
    assert release.one("Service", "r-stylize")["spec"].items() >= options.items()
    metrics = release.one("Service", "r-stylize-metrics")["spec"]
    assert metrics["ipFamilies"] == ["IPv6", "IPv4"]
    assert not {"externalTrafficPolicy", "loadBalancerClass", "loadBalancerSourceRanges"} & metrics.keys()
    assert not options.keys() & render().one("Service", "r-stylize")["spec"].keys()


def test_a_route_can_be_shared_with_a_canary() -> None:
    route = {
        "enabled": True,
        "parentRefs": [{"name": "g"}],
        "labels": {"a": "b"},
        "matches": [{"path": {"type": "PathPrefix", "value": "/art"}}],
        "filters": [{"type": "URLRewrite"}],
        "extraRules": [{"backendRefs": [{"name": "{{ .Release.Name }}-other", "port": 80}]}],
        "extraBackendRefs": [{"name": "canary", "port": 80, "weight": 10}],
    }
    made = render({"httpRoute": route}).one("HTTPRoute")
    assert made["metadata"]["labels"]["a"] == "b"
    first, own = made["spec"]["rules"]
    assert first == {"backendRefs": [{"name": "r-other", "port": 80}]}
    assert (own["matches"], own["filters"]) == (route["matches"], route["filters"])
    assert own["timeouts"] == {"request": "130s", "backendRequest": "130s"}
    assert own["backendRefs"] == [
        {"name": "r-stylize", "port": 80, "weight": 90},
        {"name": "canary", "port": 80, "weight": 10},
    ]


def test_a_mesh_s_port_can_be_let_in() -> None:
    rule = {"ports": [{"port": 15008}]}
    assert (
        render({"networkPolicy": {"extraIngress": [rule]}}).one("NetworkPolicy")["spec"]["ingress"][2] == rule
    )


@pytest.mark.parametrize("monitor", ["podMonitor", "serviceMonitor"])
def test_a_monitor_relabels(monitor: str) -> None:
    changes = {"relabelings": [{"action": "keep"}], "metricRelabelings": [{"action": "drop"}]}
    (made,) = [
        each
        for each in render({"monitoring": {"monitor": monitor} | changes})
        if each["kind"].lower() == monitor.lower()
    ]
    (endpoint,) = made["spec"].get("podMetricsEndpoints") or made["spec"]["endpoints"]
    assert endpoint.items() >= changes.items()


def test_an_alert_can_be_switched_off_or_changed_and_the_others_stay() -> None:
    made = _alerts(
        StylizeInvalidInputSpike={"enabled": False},
        StylizeQueueSaturated={"severity": "info", "for": "30m"},
        StylizeSheddingSustained={"expr": "stylize:shed_ratio:rate5m > 0.2"},
    )
    assert WRITTEN.keys() - made.keys() == {"StylizeInvalidInputSpike"}
    saturated = made["StylizeQueueSaturated"]
    assert (saturated["labels"], saturated["for"]) == ({"severity": "info"}, "30m")
    assert saturated["expr"] == WRITTEN["StylizeQueueSaturated"]["expr"]
    assert made["StylizeSheddingSustained"]["expr"] == "stylize:shed_ratio:rate5m > 0.2"
    same = made.keys() - {
        "StylizeQueueSaturated",
        "StylizeSheddingSustained",
        "StylizeNoneReady",
        "StylizeAutoscalerAtMaximum",
    }
    assert {name: made[name] for name in same} == {name: WRITTEN[name] for name in same}


def test_an_alert_that_there_is_not_cannot_be_changed() -> None:
    values = {"monitoring": {"rules": True, "alerts": {"StylizeSlwo": {"enabled": False}}}}
    assert "monitoring.alerts names StylizeSlwo: there is no such alert" in refusal(values)
