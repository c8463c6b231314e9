"""Who may reach the pods, whom they may reach, and the ways that lead in."""

from tests.helm.rendering import SERVER, render

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
    annotations = render({"ingress": {"enabled": True, "nginx": True, "annotations": own}}).one("Ingress")[
        "metadata"
    ]["annotations"]
    assert annotations["haproxy.org/timeout-server"] == "130s"
    assert annotations["nginx.ingress.kubernetes.io/proxy-body-size"] == "1m"
    assert annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"] == "130"
    other = render({"ingress": {"enabled": True}}).one("Ingress")
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
