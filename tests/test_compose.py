"""The compose file is one, and says what the repository has."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner

from devtools.proxy import ProxyMissingError, found
from service.settings.settings import PREFIX, Settings
from tests.test_dockerfile import DEFAULTS, ENV, NAMED

ROOT = Path(__file__).parents[1]
FILES = ("compose.yaml", "compose/gpu.yaml", "compose/gpus.yaml")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVICE = SERVICES["stylize"]


def _load(name: str) -> Any:
    return yaml.safe_load((ROOT / "compose" / name).read_text())


def _mounts(service: str) -> dict[str, str]:
    """Source by path in the container, of what is mounted from the repository read-only."""
    parts = [volume.split(":") for volume in SERVICES[service].get("volumes", [])]
    return {part[1]: part[0] for part in parts if part[0].startswith("./") and part[2:] == ["ro"]}


@pytest.mark.parametrize("file", FILES)
def test_it_keeps_to_the_compose_specification(file: str, tmp_path: Path) -> None:
    check = ["--builtin-schema", "vendor.compose-spec"]
    done = CliRunner().invoke(check_jsonschema, [*check, str(ROOT / file)])
    assert done.exit_code == 0, done.output
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((ROOT / file).read_text().replace("environment:", "enviroment:"))
    assert CliRunner().invoke(check_jsonschema, [*check, str(wrong)]).exit_code == 1


@pytest.mark.parametrize("file", FILES)
def test_its_settings_are_settings_of_the_service(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)  # `make test-avx2` has one
    services: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / file).read_text())["services"]
    environment = next(each["environment"] for each in services.values() if "environment" in each)
    settings = Settings.model_validate(
        {name.removeprefix(PREFIX).lower(): value for name, value in environment.items()}
    )
    assert {name.removeprefix(PREFIX).lower() for name in environment} == settings.model_fields_set


def test_the_image_is_built_as_the_dockerfile_wants() -> None:
    assert SERVICE["build"]["context"] == "."
    declared = set(DEFAULTS) | {arg.partition("=")[0] for arg in NAMED["dependencies"].all("ARG")}
    assert set(SERVICE["build"]["args"]) <= declared
    assert SERVICE["build"]["args"]["BACKBONE"] == f"${{BACKBONE:-{DEFAULTS['BACKBONE']}}}"


def test_ports_lead_to_what_listens_and_to_this_machine_only() -> None:
    ports = {name: [port.split(":") for port in service["ports"]] for name, service in SERVICES.items()}
    assert {host for published in ports.values() for host, _, _ in published} == {"127.0.0.1"}
    (public,) = ports["stylize"]
    assert int(public[2]) == Settings.model_fields["port"].default
    assert ENV["STYLIZE_HOST"] == "0.0.0.0"
    numbers = [published for each in ports.values() for _, published, _ in each]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("service", SERVICES)
def test_everything_that_is_mounted_from_here_is_here_and_read_only(service: str) -> None:
    for volume in SERVICES[service].get("volumes", []):
        source, _, mode = (*volume.split(":"), "")[:3]
        if source.startswith("./"):
            assert (ROOT / source).exists()
            assert mode == "ro"
        else:
            assert source in COMPOSE["volumes"]


def test_the_artworks_are_where_the_setting_says() -> None:
    assert _mounts("stylize")[SERVICE["environment"]["STYLIZE_STYLES_DIR"]] == "./examples/styles"


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_has_more_rights_than_it_needs(service: str) -> None:
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    assert SERVICES[service]["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in SERVICES[service]


@pytest.mark.parametrize("service", ["prometheus", "grafana"])
def test_images_of_others_have_a_version(service: str) -> None:
    _, _, tag = SERVICES[service]["image"].partition(":")
    assert len(tag.split(".")) == 3


def test_prometheus_scrapes_the_admin_port_and_has_the_rules_of_the_chart() -> None:
    config = _load("prometheus.yaml")
    (job,) = config["scrape_configs"]
    (where,) = job["dns_sd_configs"]
    assert (where["names"], where["type"]) == (["stylize"], "A")
    assert where["port"] == Settings.model_fields["admin_port"].default
    mounts = _mounts("prometheus")
    (option,) = [each for each in SERVICES["prometheus"]["command"] if each.startswith("--config.file=")]
    at = PurePosixPath(option.removeprefix("--config.file="))
    assert mounts[str(at)] == "./compose/prometheus.yaml"
    assert [mounts[str(at.parent / rules)] for rules in config["rule_files"]] == [
        "./helm/stylize/files/rules.yaml"
    ]


def test_promtool_accepts_the_configuration_with_its_rules(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("there is no Prometheus: apt-get install prometheus")
    for source in _mounts("prometheus").values():
        shutil.copy(ROOT / source, tmp_path)
    check = [promtool, "check", "config", str(tmp_path / "prometheus.yaml")]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_grafana_asks_that_prometheus_and_shows_the_chart_s_dashboard() -> None:
    (source,) = _load("grafana-datasource.yaml")["datasources"]
    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    assert source["url"] == f"http://prometheus:{SERVICES['prometheus']['ports'][0].split(':')[2]}"
    assert source["jsonData"]["timeInterval"] == _load("prometheus.yaml")["global"]["scrape_interval"]
    mounts = _mounts("grafana")
    (provider,) = _load("grafana-dashboards.yaml")["providers"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert PurePosixPath(home).parent == PurePosixPath(provider["options"]["path"])
    assert mounts[home] == "./helm/stylize/files/dashboard.json"
    assert json.loads((ROOT / mounts[home]).read_text())["uid"] == "stylize"
    for folder, name in (
        ("datasources", "grafana-datasource.yaml"),
        ("dashboards", "grafana-dashboards.yaml"),
    ):
        assert f"./compose/{name}" in [
            source for at, source in mounts.items() if at.startswith(f"/etc/grafana/provisioning/{folder}/")
        ]


def test_the_gpu_file_changes_nothing_but_the_device_and_its_image() -> None:
    gpu = _load("gpu.yaml")
    assert set(gpu["services"]) == {"stylize"}
    assert gpu["services"]["stylize"]["environment"] == {"STYLIZE_DEVICE": "cuda"}


def test_cuda_is_in_the_image_for_a_gpu_and_not_in_the_other() -> None:
    gpu = _load("gpu.yaml")["services"]["stylize"]
    assert SERVICE["build"]["args"]["TORCH_INDEX"].endswith("/whl/cpu")
    assert gpu["build"]["args"] == {"TORCH_INDEX": ""}
    assert [SERVICE["image"], gpu["image"]] == ["localhost/stylize:cpu", "localhost/stylize:cuda"]


def _several() -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """The services of several GPUs, by name, and the proxy before them."""
    services: dict[str, dict[str, Any]] = _load("gpus.yaml")["services"]
    proxy = services.pop("haproxy")
    assert services.pop("stylize") == {"profiles": ["without-gpus"]}  # the one of compose.yaml is not started
    return services, proxy


def test_each_of_several_gpus_has_a_service_like_that_of_one() -> None:
    gpu = _load("gpu.yaml")["services"]["stylize"]
    expected = SERVICE | {
        "image": gpu["image"],
        "environment": SERVICE["environment"] | gpu["environment"],
        "networks": {"default": {"aliases": ["stylize"]}},
    }
    of_its_own = ("build", "ports", "deploy")  # without a TORCH_INDEX, it is the locked torch
    services, _ = _several()
    for number, service in enumerate(services.values()):
        assert {name: value for name, value in service.items() if name not in of_its_own} == {
            name: value for name, value in expected.items() if name not in of_its_own
        }
        assert service["build"] == {
            "context": ".",
            "args": {"BACKBONE": SERVICE["build"]["args"]["BACKBONE"]},
        }
        (device,) = service["deploy"]["resources"]["reservations"]["devices"]
        assert device == {"driver": "nvidia", "device_ids": [str(number)], "capabilities": ["gpu"]}


def test_haproxy_has_the_port_and_a_server_for_each_gpu() -> None:
    services, proxy = _several()
    (port,) = proxy["ports"]
    assert [port] == SERVICE["ports"]
    assert proxy["volumes"] == ["./compose/haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg:ro"]
    assert re.fullmatch(r"haproxy:\d+\.\d+\.\d+", proxy["image"])
    assert proxy["stop_grace_period"] == SERVICE["stop_grace_period"]
    assert (proxy["cap_drop"], proxy["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    configuration = (ROOT / "compose/haproxy.cfg").read_text()
    inside = Settings.model_fields["port"].default
    assert re.findall(r"^    server (\S+) (\S+)$", configuration, re.MULTILINE) == [
        (name, f"{name}:{inside}") for name in services
    ]
    assert re.findall(r"^    bind :(\d+)$", configuration, re.MULTILINE) == [port.rpartition(":")[2]]


def test_haproxy_accepts_its_configuration_with_the_names_of_containers_that_are_not_there() -> None:
    try:
        haproxy = found("haproxy")
    except ProxyMissingError:
        pytest.skip("there is no haproxy: apt-get install haproxy")
    check = [haproxy, "-c", "-f", str(ROOT / "compose/haproxy.cfg")]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_page_shows_haproxy_s_configuration_as_it_is() -> None:
    page = (ROOT / "docs/run/operations.md").read_text()
    shown = page[page.index("HAProxy (") :].split("```")[1]
    lines = [
        line for line in shown.splitlines() if line and not line.startswith(("    bind ", "    server "))
    ]
    configured = (ROOT / "compose/haproxy.cfg").read_text().splitlines()
    missing = [line for line in lines if line.partition("  #")[0].rstrip() not in configured]
    assert not missing
