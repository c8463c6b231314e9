"""Every value of a setting that the documentation names is one that the service starts with."""

from itertools import cycle, islice
from pathlib import Path
from typing import Any, get_args

import pytest

from devtools.running import ROOT, Server
from service.machine import why_no_heic
from service.settings import Settings

PORTS = {"port", "admin_port"}  # each server of the tests has its own
SWITCH = ["true", "false", "1", "0"]
VALUES: dict[str, list[str]] = {
    "host": ["127.0.0.1", "0.0.0.0", "localhost"],
    "device": [],
    "backbone": ["auto", "vgg16", "vgg19", "custom"],
    "weights_dir": ["weights"],
    "styles_dir": ["examples/styles"],
    "api_keys_file": ["KEYS"],
    "cors_origins": ["*", "https://a.org,https://b.org", "http://[::1]:8000"],
    "playground": SWITCH,
    "provenance": SWITCH,
    "precision": [],
    "cuda_graphs": SWITCH,
    "threads": ["1", "2"],
    "queue_size": ["0", "4"],
    "max_per_key": ["1", "2"],
    "deadline": ["120", "0.5"],
    "memory": ["auto", "6GiB", "900MiB", "6G"],
    "max_size": ["64", "2048", "4096"],
    "max_upload_bytes": ["20000000"],
    "max_pixels": ["40000000", "12000000"],
    "heic": ["false"] if why_no_heic() else ["true", "false"],
    "default_budget": ["2", "0.5"],
    "max_budget": ["60", "10"],
    "upload_stall": ["10", "0.5"],
    "upload_timeout": ["60", "1.5"],
    "log_level": [],
}
"""By setting; where there are none, all that its type has."""


def literals(name: str) -> list[str]:
    return [str(value) for value in get_args(Settings.model_fields[name].annotation)]


def test_each_setting_has_values() -> None:
    assert set(VALUES) | PORTS == set(Settings.model_fields)
    assert all(values or literals(name) for name, values in VALUES.items())


@pytest.mark.parametrize(
    "place", range(max(len(values or literals(name)) for name, values in VALUES.items()))
)
def test_the_service_starts_with_the_values_at_a_place_of_all_lists(place: int, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"shop:{'k' * 40}\n")
    chosen: dict[str, Any] = {}
    for name, values in VALUES.items():
        value = next(islice(cycle(values or literals(name)), place, None))
        chosen[f"STYLIZE_{name.upper()}"] = (
            keys if value == "KEYS" else value.replace("examples/", f"{ROOT}/examples/")
        )
    with Server(**chosen) as server:
        assert server.admin("/livez").status_code == 200
        assert server.get("/styles").json()["styles"]
        assert not server.errors()
