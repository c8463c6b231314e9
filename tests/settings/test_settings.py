import json
import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from service.settings.settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:

    for name in os.environ:
        if name.startswith("STYLIZE_"):
            monkeypatch.delenv(name)


def test_an_empty_environment_is_enough() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.admin_port) == ("127.0.0.1", 8080, 9090)
    assert settings.places == 1 + settings.queue_size


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_read_from_its_variable(
    field: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("phone:0123456789abcdef0123456789abcdef\n")
    values = {"host": "::1", "device": "cpu", "backbone": "vgg19", "weights_dir": "/w", "log_level": "debug"}
    values["playground"] = values["provenance"] = "False"
    values["styles_dir"] = str(tmp_path)
    values["cors_origins"] = "https://example.org"
    values["memory"] = "6000000000"
    values["api_keys_file"] = str(tmp_path / "keys")
    value = values.get(field, "4321" if field != "default_budget" else "7")
    if field == "precision":
        value = "fp32"
    if field == "threads":
        value = "3"
    if field == "queue_size":
        value = "0"
    if field == "max_budget":
        value = "9"
    if field == "max_per_key":
        monkeypatch.setenv("STYLIZE_API_KEYS_FILE", str(tmp_path / "keys"))
    if field == "deadline":
        value = "45"
    if field in ("heic", "cuda_graphs"):
        value = "True"
    monkeypatch.setenv(f"STYLIZE_{field.upper()}", value)
    before = Settings.model_fields[field].default
    after = getattr(load_settings(), field)
    assert after != before
    if isinstance(after, tuple):
        after = ",".join(after)
    assert str(after).removesuffix(".0") == value


@pytest.mark.parametrize(
    ("installed", "sentence"),
    [
        (
            None,
            "STYLIZE_HEIC is on, but pillow-heif is not installed: run pip install 'stylize[heic]', or leave it off.",
        ),
        (
            "1.8.0",
            "pillow-heif is 1.8.0, and versions before 1.8.1 are not safe: install 1.8.1 or newer, or leave it",
        ),
        ("1.10.0rc1", None),
    ],
)
def test_heic_needs_a_safe_decoder(
    installed: str | None, sentence: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if installed is None:
            raise PackageNotFoundError(name)
        return installed

    monkeypatch.setattr("service.machine.extras.version", version)
    assert load_settings().heic is False
    monkeypatch.setenv("STYLIZE_HEIC", "1")
    if sentence is None:
        assert load_settings().heic is True
    else:
        with pytest.raises(SettingsError, match=re.escape(sentence)):
            load_settings()


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLIZE_PORT", "")
    assert load_settings().port == 8080


def test_all_that_is_wrong_is_said_at_once_with_the_variables_and_what_to_give(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STYLIZE_PORT", "http")
    monkeypatch.setenv("STYLIZE_DEVICE", "gpu")
    monkeypatch.setenv("STYLIZE_MAX_BUDGET", "0")
    monkeypatch.setenv("STYLIZE_QUEU_SIZE", "3")
    monkeypatch.setenv("STYLIZE_BACKBONE", "resnet")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert raised.value.problems == [
        "STYLIZE_QUEU_SIZE is not a setting: did you mean STYLIZE_QUEUE_SIZE?",
        'STYLIZE_PORT is "http": give a whole number from 1 to 65535.',
        'STYLIZE_DEVICE is "gpu": give one of auto, cpu, cuda.',
        'STYLIZE_BACKBONE is "resnet": give auto, vgg16, vgg19, custom, or the path of a .safetensors or .pth '
        "file.",
        'STYLIZE_MAX_BUDGET is "0": give a number above 0, at most 3600.',
    ]


def test_a_setting_that_does_not_exist_is_an_error_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLIZE_WORKERS", "4")
    with pytest.raises(
        SettingsError, match="STYLIZE_WORKERS is not a setting: there are STYLIZE_ADMIN_PORT, "
    ):
        load_settings()


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("auto", None),
        ("6GiB", 6 * 2**30),
        ("512Mi", 2**29),
        ("1.5 GB", 1_500_000_000),
        ("300000000", 300_000_000),
    ],
)
def test_memory_is_an_amount_or_auto(value: str, size: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLIZE_MEMORY", value)
    assert load_settings().memory == size


@pytest.mark.parametrize("value", ["6", "much", "6 elephants", "-1GiB", "255MiB"])
def test_what_is_no_memory_to_paint_in_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLIZE_MEMORY", value)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert raised.value.problems == [
        f'STYLIZE_MEMORY is "{value}": give an amount like 6GiB or 900MiB, at least 256MiB, or auto.'
    ]


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("*", ("*",)),
        (" https://A.org ,http://localhost:3000,", ("https://a.org", "http://localhost:3000")),
        ("capacitor://localhost,http://[::1]:80", ("capacitor://localhost", "http://[::1]:80")),
    ],
)
def test_origins_are_separated_by_commas(
    value: str, origins: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STYLIZE_CORS_ORIGINS", value)
    assert load_settings().cors_origins == origins


@pytest.mark.parametrize(
    "value",
    ["example.org", "https://a.org/", "https://a.org/x", "null", "*,https://a.org", "https://*.a.org"],
)
def test_what_is_no_origin_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLIZE_CORS_ORIGINS", value)
    with pytest.raises(
        SettingsError, match=r"STYLIZE_CORS_ORIGINS: .* is not an origin: give some like https://"
    ):
        load_settings()


def test_the_variables_of_a_kubernetes_service_of_the_same_name_do_not_disturb(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STYLIZE_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("STYLIZE_SERVICE_PORT_HTTP", "80")
    monkeypatch.setenv("STYLIZE_PORT_80_TCP_ADDR", "10.0.0.1")
    assert load_settings().port == 8080


def test_the_one_variable_of_kubernetes_that_does_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLIZE_PORT", "tcp://10.0.0.1:80")
    with pytest.raises(SettingsError, match="enableServiceLinks: false"):
        load_settings()


def test_the_folder_of_styles_has_to_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLIZE_STYLES_DIR", "/no/such/folder")
    with pytest.raises(
        SettingsError, match="STYLIZE_STYLES_DIR is /no/such/folder: give a folder that exists"
    ):
        load_settings()


@pytest.mark.parametrize(
    ("given", "host", "url_host"),
    [
        ("0.0.0.0", "0.0.0.0", "0.0.0.0"),
        ("::", "::", "[::]"),
        ("[::]", "::", "[::]"),
        ("[::1]", "::1", "[::1]"),
        ("2001:DB8:0::1", "2001:db8::1", "[2001:db8::1]"),
        ("localhost", "localhost", "localhost"),
        ("", "127.0.0.1", "127.0.0.1"),
    ],
)
def test_a_host_may_be_of_ipv6_with_or_without_brackets(
    given: str, host: str, url_host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STYLIZE_HOST", given)
    assert (load_settings().host, load_settings().url_host) == (host, url_host)


@pytest.mark.parametrize(
    "given", ["0.0.0.0:80", "http://a", "[localhost]", "[::", "unix:/run/a", ":::", "fe80::1%lo"]
)
def test_a_host_is_an_address_or_a_name(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLIZE_HOST", given)
    with pytest.raises(
        SettingsError, match=r"STYLIZE_HOST is .*: give an address to listen on without a port"
    ):
        load_settings()


def test_the_two_ports_have_to_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLIZE_ADMIN_PORT", "8080")
    with pytest.raises(SettingsError, match="STYLIZE_PORT and STYLIZE_ADMIN_PORT are both 8080"):
        load_settings()


def test_the_default_budget_cannot_exceed_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLIZE_DEFAULT_BUDGET", "90")
    with pytest.raises(SettingsError, match="STYLIZE_DEFAULT_BUDGET is 90: give at most STYLIZE_MAX_BUDGET"):
        load_settings()


def test_a_limit_for_each_key_needs_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLIZE_MAX_PER_KEY", "2")
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert error.value.problems == [
        "STYLIZE_MAX_PER_KEY is 2, but there are no keys: set STYLIZE_API_KEYS_FILE as well, or neither."
    ]


def test_what_the_master_of_gunicorn_imports_leaves_torch_out() -> None:
    code = "import service.server.gunicorn_conf, service.server.worker, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_gunicorn_has_more_threads_than_places_and_stops_no_sooner_than_they_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STYLIZE_QUEUE_SIZE", "6")
    monkeypatch.setenv("STYLIZE_DEADLINE", "30.5")
    code = (
        "import service.server.gunicorn_conf as c, json; "
        "print(json.dumps([c.workers, c.preload_app, c.threads, c.graceful_timeout]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    workers, preload, threads, grace = json.loads(run.stdout)
    assert (workers, preload) == (1, False)
    assert threads > 7
    assert grace == 31 + 7  # the deadline, and service/server/times.py


@pytest.mark.parametrize(
    ("given", "pixels"),
    [
        ({}, 40_000_000),
        ({"MAX_SIZE": "4096"}, 40_000_000),
        ({"MAX_SIZE": "8192"}, 8192**2),
        ({"MAX_SIZE": "8192", "MAX_PIXELS": "1000000"}, 1_000_000),
    ],
)
def test_a_result_of_the_largest_size_can_be_sent_again_unless_the_operator_says_otherwise(
    given: dict[str, str], pixels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"STYLIZE_{name}", value)
    assert load_settings().most_pixels == pixels
