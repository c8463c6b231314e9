"""What gunicorn's manual offers, and one worker would not survive."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from devtools.running import Server
from devtools.serving import wait_until


@pytest.mark.parametrize("name", ["SIGHUP", "SIGTTIN", "SIGTTOU", "SIGUSR2"])
def test_a_signal_that_would_start_or_end_a_worker_disturbs_nobody(name: str) -> None:
    with Server() as server, ThreadPoolExecutor(1) as pool:
        server.hold()
        answer = pool.submit(server.post)
        server.wait_until_held()
        server.process.send_signal(signal.Signals[name])
        wait_until(lambda: f"{name} changes nothing: " in server.output())
        server.release()
        assert answer.result().status_code == 200
        assert server.post().status_code == 200
        assert server.admin("/livez").status_code == 200
        assert not server.errors()


def test_a_hangup_of_the_whole_group_of_processes_disturbs_nobody() -> None:
    with Server() as server:
        worker = server.worker()
        for pid in (worker, server.process.pid):
            os.kill(pid, signal.SIGHUP)
        wait_until(lambda: "SIGHUP changes nothing: " in server.output())
        assert server.post().status_code == 200
        assert server.worker() == worker


def test_more_workers_are_refused_and_one_serves() -> None:
    with Server(GUNICORN_CMD_ARGS="--workers=2") as server:
        assert "there is one worker, not 2: more throughput is more processes" in server.output()
        assert server.post().status_code == 200
        assert server.output().count("Booting worker") == 1
        assert not server.errors()
