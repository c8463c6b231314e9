"""A start that cannot succeed ends with one clear sentence and an exit code, not with a server that does nothing."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devtools.running import ROOT, Server, environment, free_ports
from devtools.serving import wait_until


def serve(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        cwd=ROOT,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.parametrize("arguments", [[], ["serve"]])
def test_wrong_settings_are_all_named_before_anything_starts(arguments: list[str]) -> None:
    run = serve(*arguments, STYLIZE_PORT="http", STYLIZE_DEVICE="gpu", STYLIZE_MAXSIZE=3)
    assert run.returncode == 2
    assert run.stderr.splitlines() == [
        "STYLIZE_MAXSIZE is not a setting: did you mean STYLIZE_MAX_SIZE?",
        'STYLIZE_PORT is "http": give a whole number from 1 to 65535.',
        'STYLIZE_DEVICE is "gpu": give one of auto, cpu, cuda.',
    ]
    assert run.stdout == ""


def test_gunicorn_itself_says_the_same() -> None:
    command = [sys.executable, "-m", "gunicorn", "-c", "python:service.server.gunicorn_conf"]
    env = environment(STYLIZE_PORT="http")
    run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=180, check=False)
    assert run.returncode == 2
    assert run.stderr == 'STYLIZE_PORT is "http": give a whole number from 1 to 65535.\n'


def test_missing_weights_end_the_process(tmp_path: Path) -> None:
    port, admin = free_ports(2)
    run = serve(
        STYLIZE_WEIGHTS_DIR=tmp_path, STYLIZE_BACKBONE="vgg19", STYLIZE_PORT=port, STYLIZE_ADMIN_PORT=admin
    )
    assert run.returncode == 4
    critical = [line for line in map(json.loads, run.stdout.splitlines()) if line["level"] == "critical"]
    assert len(critical) == 1
    assert "python -m service weights vgg19" in critical[0]["message"]
    assert "Traceback" not in run.stdout + run.stderr


def test_an_admin_port_that_is_taken_ends_the_process() -> None:
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        run = serve(STYLIZE_PORT=port, STYLIZE_ADMIN_PORT=taken)
    assert run.returncode == 4
    assert f"STYLIZE_ADMIN_PORT is {taken}, which cannot be had (Address already in use)" in run.stdout


def test_while_the_network_is_loading_the_server_answers_that_it_is(tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    server = Server(LOAD_FILE=hold)
    try:
        wait_until(lambda: "probes at" in server.output(), 60)
        assert server.get("/readyz").status_code == 503
        assert server.get("/readyz").json() == {"state": "loading"}
        assert server.admin("/livez").status_code == 200
        assert set(server.get("/version").json()) == {"version", "state"}
        refused = server.post()
        assert refused.status_code == 503
        assert refused.json()["type"] == "/problems/not-ready"
        assert int(refused.headers["Retry-After"]) >= 1
        hold.unlink()
        wait_until(server.ready)
        assert server.post().status_code == 200
    finally:
        server.__exit__()
