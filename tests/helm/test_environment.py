"""The settings of the service, by way of the chart's values."""

import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import yaml

from devtools.running import environment as without_settings
from service.settings.settings import PREFIX, Settings, load_settings
from tests.helm.rendering import CHART, CI_FILES, render

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
KEY = "0123456789abcdef0123456789abcdef"


def _camel(name: str) -> str:
    return re.sub(r"_(.)", lambda match: match[1].upper(), name)


def _some_value(name: str) -> Any:
    """A value of the setting's type, other than its default where that can be."""
    special = {"backbone": "vgg19", "cors_origins": ["https://a.example", "https://b.example"]}
    if name in special:
        return special[name]
    schema = Settings.model_json_schema()["properties"][name]
    schema = next(each for each in schema.get("anyOf", [schema]) if each.get("type") != "null")
    if "enum" in schema:
        return schema["enum"][-1]
    low, high = schema.get("minimum", schema.get("exclusiveMinimum", 0)), schema.get("maximum", 10**9)
    number = min(low + 12345678, high)
    default = Settings.model_fields[name].default
    return {
        "integer": number,
        "number": min(low + 2.5, high),
        "boolean": not default,
        "string": "/some/text",
    }[schema["type"]]


@pytest.fixture(scope="module")
def everything() -> dict[str, str]:
    """The environment where every setting of the service is set."""
    settings = {_camel(name): _some_value(name) for name in Settings.model_fields}
    settings["adminPort"] = 9999
    return render({"settings": settings, "terminationGracePeriodSeconds": None}).environment


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_of_the_service_can_be_set_through_values(
    name: str, everything: dict[str, str]
) -> None:
    wanted = 9999 if name == "admin_port" else _some_value(name)
    text = (
        ",".join(wanted)
        if isinstance(wanted, list)
        else str(wanted).lower()
        if wanted in (True, False)
        else wanted
    )
    assert everything[PREFIX + name.upper()] == str(text)


def test_a_setting_that_the_chart_has_never_heard_of_is_passed_on() -> None:
    environment = render(
        {"settings": {"somethingNew": 2.5, "memory": "8Gi", "playground": False}}
    ).environment
    assert environment["STYLIZE_SOMETHING_NEW"] == "2.5"
    assert environment["STYLIZE_MEMORY"] == "8Gi"
    assert environment["STYLIZE_PLAYGROUND"] == "false"


@pytest.mark.parametrize(
    ("value", "text"),
    [(20000000, "20000000"), (10**12, "1000000000000"), (0, "0"), (0.05, "0.05"), (True, "true"), ("", "")],
)
def test_values_arrive_as_they_were_written(value: object, text: str) -> None:
    assert render({"settings": {"something": value}}).environment["STYLIZE_SOMETHING"] == text


def test_the_chart_s_defaults_are_the_service_s() -> None:
    for name, value in VALUES["settings"].items():
        field = next(field for field in Settings.model_fields if _camel(field) == name)
        if field != "host":  # in a container it has to be reached from outside
            assert value == Settings.model_fields[field].default, name


@pytest.mark.parametrize("values", CI_FILES, ids=lambda path: path.stem)
def test_the_service_takes_the_environment(
    values: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = dict(render(values).environment)
    keys = tmp_path / "keys"
    keys.write_text(f"phone:{KEY}\n")
    if "STYLIZE_API_KEYS_FILE" in environment:
        environment["STYLIZE_API_KEYS_FILE"] = str(keys)
    if "STYLIZE_STYLES_DIR" in environment:
        environment["STYLIZE_STYLES_DIR"] = str(tmp_path)
    monkeypatch.setattr("os.environ", without_settings(**environment))
    assert load_settings().host == "0.0.0.0"  # refuses unknown names and bad values


@pytest.mark.parametrize(
    ("values", "device"),
    [
        ({}, "cuda"),
        ({"gpu": {"resource": "nvidia.com/mig-1g.10gb"}}, "cuda"),
        ({"gpu": {"resource": ""}}, "cpu"),
        ({"settings": {"device": "auto"}}, "auto"),
    ],
)
def test_the_device_follows_from_the_gpu_unless_it_is_set(values: dict[str, Any], device: str) -> None:
    assert render(values).environment["STYLIZE_DEVICE"] == device
    assert device in get_args(Settings.model_fields["device"].annotation)
    assert get_origin(Settings.model_fields["device"].annotation) is Literal


def test_the_image_chooses_the_backbone_and_where_it_is_unless_values_do() -> None:
    environment = render().environment
    assert "STYLIZE_BACKBONE" not in environment
    assert "STYLIZE_WEIGHTS_DIR" not in environment
    assert render({"settings": {"backbone": "vgg16"}}).environment["STYLIZE_BACKBONE"] == "vgg16"


def test_paths_that_are_set_by_hand_stay() -> None:
    settings = {"stylesDir": "/mine", "apiKeysFile": "/mine/keys", "weightsDir": "/mine/weights"}
    environment = render({"settings": settings}).environment
    assert environment["STYLIZE_STYLES_DIR"] == "/mine"
    assert environment["STYLIZE_API_KEYS_FILE"] == "/mine/keys"
    assert environment["STYLIZE_WEIGHTS_DIR"] == "/mine/weights"


def test_more_variables_come_after_the_settings_so_that_they_win() -> None:
    container = render(
        {
            "extraEnv": [{"name": "STYLIZE_LOG_LEVEL", "value": "debug"}],
            "extraEnvFrom": [{"secretRef": {"name": "more"}}],
        }
    ).container
    assert container["env"] == [{"name": "STYLIZE_LOG_LEVEL", "value": "debug"}]
    assert container["envFrom"] == [{"configMapRef": {"name": "r-stylize"}}, {"secretRef": {"name": "more"}}]
    assert "env" not in render().container


def test_a_change_of_the_settings_starts_new_pods_and_nothing_else_does() -> None:
    def checksum(values: dict[str, Any]) -> str:
        metadata = render(values).one("Deployment")["spec"]["template"]["metadata"]
        text = metadata["annotations"]["checksum/config"]
        assert isinstance(text, str)
        return text

    assert checksum({"settings": {"queueSize": 3}}) != checksum({})
    assert checksum({"replicaCount": 2, "service": {"port": 81}}) == checksum({})
    keys = [{"apiKeys": {"keys": {name: KEY}}} for name in ("phone", "shop")]
    assert checksum(keys[0]) == checksum(keys[1])  # the service sees them change


def test_keys_are_a_file_that_the_service_can_read(tmp_path: Path) -> None:
    from service.settings.keys import read_keys

    secret = render({"apiKeys": {"keys": {"phone": KEY, "shop": [KEY[::-1], KEY[1:] + "= batch"]}}}).one(
        "Secret"
    )
    (tmp_path / "keys").write_text(secret["stringData"]["keys"])
    keys = read_keys(tmp_path / "keys")
    assert [(key.name, key.batch) for key in keys] == [("phone", False), ("shop", False), ("shop", True)]
