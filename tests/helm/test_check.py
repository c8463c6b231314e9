"""The script that `helm test` runs, against the service itself."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from devtools.running import free_ports
from devtools.serving import FakeModel, started
from service.api.app import create_admin_app
from service.api.context import service_of
from service.images import decode
from service.server.admin import serve_admin
from tests.helm.rendering import CHART

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check", CHART / "files" / "check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Ports(NamedTuple):
    """Of a service that runs."""

    port: int
    admin_port: int


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    """The service's two applications, with a model that paints nothing, for callers with a key."""
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(f"test:{KEY}\n")
    app = started(FakeModel(), api_keys_file=keys)
    service = service_of(app)
    servers = [serve_admin(each, "127.0.0.1", 0) for each in (app, create_admin_app(service))]
    yield Ports(*(each.server_port for each in servers))
    for each in servers:
        each.shutdown()
        each.server_close()
    service.stop()


@pytest.fixture
def keys_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keys").write_text(f"# ours\n\ntest:{KEY}\n")
    monkeypatch.setenv("KEYS_FILE", str(tmp_path / "keys"))


@pytest.mark.usefixtures("keys_file")
def test_a_service_that_works_passes_every_check(
    check: ModuleType, server: Ports, capsys: pytest.CaptureFixture[str]
) -> None:
    check.main("health", "127.0.0.1", server.port, 60)
    check.main("stylize", "127.0.0.1", server.port, 60)
    check.main("metrics", "127.0.0.1", server.admin_port, 60)
    assert "bytes of PNG" in capsys.readouterr().out


def test_a_refusal_fails_the_check_with_the_service_s_own_words(check: ModuleType, server: Ports) -> None:
    with pytest.raises(SystemExit, match=r"401.*/problems/unauthorized"):
        check.main("stylize", "127.0.0.1", server.port, 60, attempts=2, pause=0)


def test_another_port_fails_the_check(check: ModuleType, server: Ports) -> None:
    with pytest.raises(SystemExit, match=r"stylize_build_info|404"):
        check.main("metrics", "127.0.0.1", server.port, 60, attempts=1)
    with pytest.raises(SystemExit, match="refused"):
        check.main("health", "127.0.0.1", free_ports(1)[0], 60, attempts=1)


def test_the_address_in_the_environment_saves_the_question_for_the_name(
    check: ModuleType, server: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_RELEASE_SERVICE_HOST", "127.0.0.1")
    check.main("health", "a-release", server.port, 60, attempts=1)


def test_the_pictures_that_it_sends_are_pictures(check: ModuleType) -> None:
    assert decode(check.picture(64, 3)).rgb.shape == (3, 64, 64)
