"""Everything of a release besides its pods, how many there are and who may reach them; and when it is there."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm.rendering import ANCIENT, CI_FILES, SERVER, render


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


def test_rules_and_dashboard_are_the_files_of_the_chart(complete_chart: Path) -> None:
    monitoring = {"rules": True, "dashboard": True, "labels": {"release": "prometheus"}}
    release = render({"monitoring": monitoring}, chart=complete_chart)
    rule = release.one("PrometheusRule")
    written = yaml.safe_load((complete_chart / "files" / "rules.yaml").read_text())
    for group, theirs in zip(rule["spec"]["groups"], written["groups"], strict=True):
        assert group["name"] == theirs["name"]
        for ours, each in zip(group["rules"], theirs["rules"], strict=True):
            of_this_release = ("StylizeNoneReady", "StylizeAutoscalerAtMaximum")  # test_rules.py
            if ours.get("alert") not in of_this_release:
                assert ours == each
    assert rule["metadata"]["labels"]["release"] == "prometheus"
    dashboard = release.one("ConfigMap", "r-stylize-dashboard")
    file = json.loads((complete_chart / "files" / "dashboard.json").read_text())
    own = {"uid": "pictures-r-stylize", "title": "Stylize: pictures-r-stylize"}
    assert json.loads(dashboard["data"]["pictures-r-stylize.json"]) == file | own
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_the_dashboards_of_two_releases_do_not_replace_each_other() -> None:
    seen = set()
    for release in ("stylize", "stylize-canary", "a" * 53, "a" * 44 + "b"):
        (each,) = [
            config["data"]
            for config in render({"monitoring": {"dashboard": True}}, release=release).all("ConfigMap")
            if config["metadata"]["name"].endswith("-dashboard")
        ]
        ((file, text),) = each.items()
        uid = json.loads(text)["uid"]
        assert len(uid) <= 40  # Grafana's limit
        seen.add((file, uid))
    assert len({file for file, _ in seen}) == len({uid for _, uid in seen}) == 4


@pytest.mark.parametrize("url", ["https://wiki.example.org/stylize", "https://wiki.example.org/stylize/"])
def test_alerts_link_to_where_their_pages_are_published(url: str, complete_chart: Path) -> None:
    release = render({"monitoring": {"rules": True, "runbookUrl": url}}, chart=complete_chart)
    groups = release.one("PrometheusRule")["spec"]["groups"]
    alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    assert alerts
    for rule in alerts:
        page = f"https://wiki.example.org/stylize/{rule['alert']}.md"
        assert rule["annotations"]["runbook_url"] == page
    assert "set monitoring.runbookUrl" not in release.notes
    assert "set monitoring.runbookUrl" in render({"monitoring": {"rules": True}}, chart=complete_chart).notes


def test_rules_and_dashboard_are_left_out_unless_asked_for(complete_chart: Path) -> None:
    release = render(chart=complete_chart)
    assert not release.all("PrometheusRule")
    assert len(release.all("ConfigMap")) == 1


def test_the_tests_are_pods_of_the_service_s_image_that_ask_the_services() -> None:
    release = render({"service": {"port": 81}, "settings": {"adminPort": 9000}})
    asked = {pod["metadata"]["name"]: pod["spec"]["containers"][0] for pod in release.all("Pod")}
    assert {name: container["args"] for name, container in asked.items()} == {
        "r-stylize-test-health": ["health", "r-stylize", "81", "130"],
        "r-stylize-test-stylize": ["stylize", "r-stylize", "81", "130"],
        "r-stylize-test-metrics": ["metrics", "r-stylize-metrics", "9000", "130"],
    }
    for pod in release.all("Pod"):
        assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
        assert pod["spec"]["restartPolicy"] == "Never"
        assert pod["spec"]["containers"][0]["image"] == release.container["image"]
    assert not render({"tests": {"enabled": False}}).all("Pod")


@pytest.mark.parametrize("values", CI_FILES, ids=lambda path: path.stem)
def test_the_tests_run_on_the_nodes_that_the_service_runs_on(values: Path) -> None:
    release = render(values)
    names = ("nodeSelector", "tolerations", "affinity")
    wanted = {name: release.pod[name] for name in names if name in release.pod}
    for pod in release.all("Pod"):
        assert {name: pod["spec"][name] for name in names if name in pod["spec"]} == wanted


def test_the_tests_tolerate_the_taint_of_gpu_nodes() -> None:
    for pod in render({"gpu": {"resource": "nvidia.com/gpu"}}).all("Pod"):
        assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod["spec"][
            "tolerations"
        ]
        assert "nvidia.com/gpu" not in pod["spec"]["containers"][0]["resources"]["limits"]


def test_the_tests_take_annotations_and_labels() -> None:
    mesh = {"sidecar.istio.io/inject": "false"}
    for pod in render({"tests": {"annotations": mesh, "labels": mesh}}).all("Pod"):
        assert pod["metadata"]["annotations"].items() >= (mesh | {"helm.sh/hook": "test"}).items()
        assert pod["metadata"]["labels"].items() >= mesh.items()


def test_the_test_that_paints_has_a_key_where_one_is_needed() -> None:
    release = render({"apiKeys": {"existingSecret": "callers", "secretKey": "list"}})
    with_keys = [pod for pod in release.all("Pod") if "volumes" in pod["spec"]]
    assert [pod["metadata"]["name"] for pod in with_keys] == ["r-stylize-test-stylize"]
    (container,) = with_keys[0]["spec"]["containers"]
    assert container["env"] == [{"name": "KEYS_FILE", "value": "/run/secrets/stylize/list"}]
    assert with_keys[0]["spec"]["volumes"] == [{"name": "keys", "secret": {"secretName": "callers"}}]


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        (
            {},
            [
                "kubectl -n pictures port-forward service/r-stylize 8080:80 &",
                "URL=http://127.0.0.1:8080",
                "curl --fail-with-body -F content=@photo.jpg -F style=@artwork.jpg -o painted.png $URL/stylize",
                "A request can take up to 125 s (settings.deadline, and a little): let whatever stands before the "
                "service wait 130 s.",
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
    notes = render(values, chart=complete_chart).notes
    assert [line for line in lines if line not in notes] == []
    assert ("Everybody who reaches" in notes) == ("apiKeys" not in values)


def test_the_notes_say_when_the_chart_was_packaged_without_rules(
    complete_chart: Path, tmp_path: Path
) -> None:
    chart = shutil.copytree(complete_chart, tmp_path / "stylize")
    (chart / "files" / "rules.yaml").unlink()
    (chart / "files" / "dashboard.json").unlink()
    release = render({"monitoring": {"rules": True, "dashboard": True}}, chart=chart)
    assert not release.all("PrometheusRule")
    assert "packaged without files/rules.yaml" in release.notes
    assert "packaged without files/dashboard.json" in release.notes
