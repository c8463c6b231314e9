"""The end of the process: SIGTERM lets what is inside finish."""

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from pathlib import Path
from socket import socket

import pytest
import requests

from tests.running import Server
from tests.serving import picture, wait_until


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
        assert server.process.wait(20) == 0  # the connection that says nothing does not keep it
        assert not [line for line in server.log() if line["level"] in ("error", "critical", "warning")]


def test_who_is_connected_at_sigterm_is_still_answered_once_and_then_sent_elsewhere() -> None:
    with Server(STYLIZE_UPLOAD_STALL=60) as server, server.connect() as kept:
        files = {"content": ("photo.png", picture()), "style": ("art.png", picture(color="orange"))}
        request = requests.Request("POST", f"http://127.0.0.1:{server.port}/stylize", files=files).prepare()
        assert isinstance(request.body, bytes)
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        message = f"POST /stylize HTTP/1.1\r\nHost: h\r\n{head}\r\n".encode() + request.body
        kept.sendall(message)
        assert _answer(kept) == (200, "keep-alive")
        kept.sendall(message[:10])  # on its way when the signal comes
        server.terminate()
        wait_until(lambda: server.admin("/readyz").json() == {"state": "draining"})
        kept.sendall(message[10:])
        assert _answer(kept) == (200, "close")
        assert server.process.wait(20) == 0


def _answer(connection: socket) -> tuple[int, str | None]:
    response = HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status, response.getheader("Connection")


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
    settings: dict[str, object] = {
        "STYLIZE_WEIGHTS_DIR": vgg16_dir,
        "STYLIZE_BACKBONE": "vgg16",
        "STYLIZE_DEVICE": "cpu",
    }
    with Server("service.app:create_app()", **settings) as server, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(server.post, size="64", iterations="60", init="noise")
        wait_until(lambda: server.metric("stylize_evaluations_total") > 2)
        server.terminate()
        response = answer.result()
        assert response.status_code == 200
        assert response.content.startswith(b"\x89PNG")
        assert response.headers["X-Stylize-Backbone"] == "vgg16"
        assert server.process.wait(20) == 0
        (line,) = server.requests_logged()
        term = next(line for line in server.log() if "term" in line["message"])
        assert term["time"] < line["time"]  # it did run when the signal came
