"""The end of the process: SIGTERM lets what is inside finish."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from devtools.running import Server, read_answer, whole_request
from devtools.serving import wait_until


def test_sigterm_lets_running_and_waiting_requests_finish_and_exits_with_0() -> None:
    with Server(STYLIZE_UPLOAD_STALL=60) as server, ThreadPoolExecutor(3) as pool, server.connect():
        server.hold()
        answers = [pool.submit(server.post) for _ in range(3)]
        wait_until(lambda: server.metric("stylize_in_flight") == 3)
        server.terminate()
        wait_until(lambda: server.admin("/readyz").status_code == 503)
        assert server.admin("/readyz").json() == {"state": "draining"}
        assert server.admin("/livez").status_code == 200
        with pytest.raises(requests.ConnectionError):
            server.get("/readyz")  # the door is closed
        server.release()
        assert [answer.result().status_code for answer in answers] == [200, 200, 200]
        assert server.process.wait(60) == 0  # the connection that says nothing does not keep it
        assert not [line for line in server.log() if line["level"] in ("error", "critical", "warning")]


def test_who_is_connected_when_sigterm_comes_is_served() -> None:
    """A proxy that has connected cannot know whether what it has sent was begun, and does not send it again."""
    with Server() as server, server.connect() as silent, server.connect() as kept, server.connect() as begun:
        kept.sendall(b"GET /version HTTP/1.1\r\nHost: a\r\n\r\n")
        assert read_answer(kept)[0] == 200
        request = whole_request()
        begun.sendall(request[:20])
        server.terminate()
        wait_until(lambda: server.admin("/readyz").status_code == 503)
        begun.sendall(request[20:])
        for connection in (silent, kept):
            connection.sendall(request)
        for connection in (silent, kept, begun):
            status, headers, _ = read_answer(connection)
            assert (status, headers["connection"]) == (200, "close")
            connection.close()
        assert server.process.wait(60) == 0
        assert not server.errors()


def test_sigterm_while_it_is_still_starting_ends_it_too() -> None:
    server = Server()
    try:
        wait_until(lambda: "Booting worker" in server.output(), 60)
        server.terminate()
        assert server.process.wait(30) == 0
    finally:
        server.__exit__()


@pytest.mark.weights
def test_the_real_network_finishes_its_picture_after_sigterm(vgg16_dir: Path) -> None:
    settings: dict[str, Any] = {
        "STYLIZE_WEIGHTS_DIR": vgg16_dir,
        "STYLIZE_BACKBONE": "vgg16",
        "STYLIZE_DEVICE": "cpu",
    }
    with Server("service.api:create_app()", **settings) as server, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(server.post, size="64", iterations="60", init="noise")
        wait_until(lambda: server.metric("stylize_evaluations_total") > 2)
        server.terminate()
        response = answer.result()
        assert response.status_code == 200
        assert response.content.startswith(b"\x89PNG")
        assert response.headers["X-Stylize-Backbone"] == "vgg16"
        assert server.process.wait(60) == 0
        (line,) = server.requests_logged()
        term = next(line for line in server.log() if "term" in line["message"])
        assert term["time"] < line["time"]  # it did run when the signal came
