"""A public port that answers nobody, while the process and its administrative port live on."""

import time
from collections.abc import Generator
from pathlib import Path

import pytest

from devtools.running import Server
from devtools.serving import wait_until

READY_WITHIN, ALIVE_WITHIN = 5, 15
"""Seconds within which the probes say so (docs/run/operations.md), with the pause between two knocks."""


@pytest.fixture
def loop_file(tmp_path: Path) -> Path:
    return tmp_path / "loop"


@pytest.fixture
def server(loop_file: Path) -> Generator[Server, None, None]:
    with Server(LOOP_FILE=loop_file) as server:
        yield server
        loop_file.unlink(missing_ok=True)


@pytest.mark.slow  # it takes as long as a probe may
def test_where_the_loop_stands_still_the_probes_say_so_and_take_it_back(
    server: Server, loop_file: Path
) -> None:
    def says(path: str, code: int) -> bool:
        return server.admin(path).status_code == code

    assert says("/readyz", 200)
    loop_file.touch()
    began = time.monotonic()
    wait_until(lambda: says("/readyz", 503), READY_WITHIN + 5)
    unready = time.monotonic() - began
    assert says("/livez", 200), "slow for a moment is not dead"
    wait_until(lambda: says("/livez", 503), ALIVE_WITHIN + 5)
    dead = time.monotonic() - began
    loop_file.unlink()
    wait_until(lambda: says("/livez", 200) and says("/readyz", 200))
    assert server.post().status_code == 200
    assert unready < READY_WITHIN
    assert dead < ALIVE_WITHIN
