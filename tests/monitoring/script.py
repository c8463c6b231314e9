"""A script of everything that can happen to a request, and what it has to come to on /metrics."""

import base64
import socket
import time
from collections import Counter
from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families

from devtools.events import read
from devtools.running import Server, read_answer, reset_when_closed
from devtools.serving import FakeModel, picture, wait_until
from service.monitoring.metrics import STAGES

KEY = "k" * 40
SIZE = 64
PIXELS = WORKING_PIXELS = (
    80 * 60
)  # of both pictures, as they are sent; what is not above 512 px is not reduced
EVALUATIONS = FakeModel().evaluations


def series(name: str, **labels: str) -> str:
    inside = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inside}}}"


def scrape(server: Server) -> dict[str, float]:
    return {
        series(sample.name, **sample.labels): sample.value
        for family in text_string_to_metric_families(server.admin("/metrics").text)
        for sample in family.samples
        if sample.name.startswith("stylize_")
    }


def size_of(request: requests.PreparedRequest) -> int:
    """Bytes of its body."""
    assert isinstance(request.body, bytes)
    return len(request.body)


class Script:
    """Does things to a server, and keeps the books."""

    def __init__(self, folder: Path) -> None:
        self.begun = time.time()
        self.expected: Counter[str] = Counter()
        self.load_file, self.fail_file = folder / "load", folder / "fail"
        self.load_file.touch()
        (folder / "keys").write_text(f"tests:{KEY}\n")
        self.server = Server(
            "tests.monitoring.scripted_app:create_scripted_app()",
            LOAD_FILE=self.load_file,
            FAIL_FILE=self.fail_file,
            STYLIZE_API_KEYS_FILE=folder / "keys",
            STYLIZE_QUEUE_SIZE=1,
            STYLIZE_MAX_BUDGET=45,
            STYLIZE_DEADLINE=50,
            STYLIZE_UPLOAD_STALL=0.5,
            STYLIZE_MAX_UPLOAD_BYTES=50_000,
        )

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        self.expected[series(name, **labels)] += amount  # type: ignore[assignment]

    def answered(self, code: int, problem: str = "", route: str = "/stylize", method: str = "POST") -> None:
        self.count("stylize_http_requests_total", route=route, method=method, code=str(code))
        code_class = f"{code // 100}xx"
        self.count("stylize_http_request_duration_seconds_count", route=route, code_class=code_class)
        if problem:
            self.count("stylize_problems_total", type=problem)

    def came_to(self, outcome: str, code: int, problem: str = "", stages: tuple[str, ...] = ()) -> None:
        self.answered(code, problem)
        self.count("stylize_requests_total", outcome=outcome)
        if outcome != "unauthorized":
            self.count("stylize_key_requests_total", key="tests")
        for stage in stages:
            self.count("stylize_stage_duration_seconds_count", stage=stage)
            if stage == "queue":
                self.count("stylize_queue_wait_seconds_count", priority="usual")

    def body(self, size: int) -> None:
        self.count("stylize_http_request_body_bytes_count")
        self.count("stylize_http_request_body_bytes_sum", size)

    def pictures(self) -> None:
        for image in ("content", "style"):
            self.count("stylize_input_pixels_count", image=image)
            self.count("stylize_input_pixels_sum", PIXELS, image=image)
            self.count("stylize_working_pixels_count", image=image)
            self.count("stylize_working_pixels_sum", WORKING_PIXELS, image=image)
            self.count("stylize_input_images_total", format="png")
            self.count("stylize_input_profiles_total", conversion="none")

    def evaluations(self, number: int, discarded: str = "") -> None:
        self.count("stylize_evaluations_total", number)
        self.count("stylize_evaluation_duration_seconds_count", number)
        if discarded:
            self.count("stylize_evaluations_discarded_total", number, reason=discarded)

    def painted(self, body: int, answer: int) -> None:
        self.came_to("ok", 200, stages=STAGES)
        self.body(body)
        self.pictures()
        self.evaluations(EVALUATIONS)
        self.count("stylize_http_response_body_bytes_count")
        self.count("stylize_http_response_body_bytes_sum", answer)

    def request(
        self, options: dict[str, str] | None = None, content: bytes = b"", **headers: str
    ) -> requests.PreparedRequest:
        files = {
            "content": ("a.png", content or picture(80, 60)),
            "style": ("b.png", picture(80, 60, "orange")),
        }
        url = f"http://127.0.0.1:{self.server.port}/stylize"
        all_headers = {"Authorization": f"Bearer {KEY}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        form = {"size": str(SIZE)} | (options or {})
        return requests.Request("POST", url, data=form, files=files, headers=all_headers).prepare()

    def send(self, request: requests.PreparedRequest) -> requests.Response:
        with requests.Session() as session:
            return session.send(request, timeout=30)

    def open(self, accept: str = "*/*", declare: int = 0) -> socket.socket:
        """A connection on which a whole request has been sent, or one that is `declare` bytes longer."""
        request = self.request(Accept=accept)
        assert isinstance(request.body, bytes)
        request.headers["Content-Length"] = str(len(request.body) + declare)
        request.headers["Host"] = "test"
        head = "".join(f"{name}: {value!s}\r\n" for name, value in request.headers.items())
        connection = self.server.connect()
        connection.sendall(f"POST /stylize HTTP/1.1\r\n{head}\r\n".encode() + request.body)
        return connection

    def now(self, name: str, **labels: str) -> float:
        return scrape(self.server)[series(name, **labels)]

    def wait_for_gone(self, number: int) -> None:
        wait_until(lambda: self.now("stylize_requests_total", outcome="client_gone") == number)


def not_ready(script: Script) -> None:
    def listening() -> bool:
        try:
            return script.server.get("/readyz").status_code == 503
        except (requests.ConnectionError, requests.Timeout):
            return False

    wait_until(listening, 60)
    assert script.send(script.request()).status_code == 503
    script.came_to("shed_not_ready", 503, "not-ready")
    script.load_file.unlink()
    wait_until(script.server.ready, 60)


def good(script: Script) -> None:
    for request in (script.request(), script.request({"format": "jpeg"})):
        answer = script.send(request)
        assert answer.status_code == 200
        script.painted(size_of(request), len(answer.content))
    request = script.request(Accept="application/json")
    painted = base64.b64decode(script.send(request).json()["image"])
    script.painted(size_of(request), len(painted))
    request = script.request(Accept="text/event-stream")
    events = list(read([script.send(request).content]))
    assert events[-1].name == "result"
    painted = base64.b64decode(events[-1].data["image"])
    script.painted(size_of(request), len(painted))


def wrong(script: Script) -> None:
    for _ in range(2):
        assert script.send(script.request(Authorization="Bearer no")).status_code == 401
        script.came_to("unauthorized", 401, "unauthorized")
    assert script.send(script.request(Accept="text/html")).status_code == 406
    script.came_to("invalid_input", 406, "not-acceptable")
    assert script.send(script.request(content=bytes(60_000))).status_code == 413
    script.came_to("invalid_input", 413, "body-too-large")
    request = script.request({"strength": "7"})
    assert script.send(request).status_code == 422
    script.came_to("invalid_input", 422, "invalid-request", ("read_body",))
    script.body(size_of(request))
    request = script.request(content=b"no picture")
    assert script.send(request).status_code == 415
    script.came_to("invalid_input", 415, "unsupported-image", ("read_body", "decode"))
    script.body(size_of(request))


def stalled(script: Script) -> None:
    with script.open(declare=10) as connection:
        assert read_answer(connection)[0] == 408
    script.came_to("invalid_input", 408, "upload-stalled", ("read_body",))


def crowded(script: Script) -> None:
    size = size_of(script.request())
    script.server.hold()
    with script.open() as running:
        script.server.wait_until_held()
        with script.open() as waiting:
            wait_until(lambda: script.now("stylize_queue_depth") == 1)
            for _ in range(3):
                assert script.send(script.request()).status_code == 429
                script.came_to("shed_queue_full", 429, "queue-full")
            assert script.now("stylize_in_flight") == 2
            script.server.release()
            lengths = [len(read_answer(connection)[2]) for connection in (running, waiting)]
    for length in lengths:
        script.painted(size, length)


def gone(script: Script) -> None:
    size = size_of(script.request())
    before = script.now("stylize_evaluations_total")
    script.server.hold()
    with script.open() as running:
        script.server.wait_until_held()
        with script.open():
            wait_until(lambda: script.now("stylize_queue_depth") == 1)
        script.wait_for_gone(1)  # while it waited
        with script.open(accept="text/event-stream"):
            wait_until(lambda: script.now("stylize_queue_depth") == 1)
        script.wait_for_gone(2)  # an event stream, while it waited
        running.close()
        script.wait_for_gone(3)  # while it was painted
    assert script.now("stylize_evaluations_total") == before
    script.server.release()
    wait_until(lambda: script.now("stylize_in_flight") == 0)
    script.evaluations(1, "client_gone")
    for _ in range(3):
        script.came_to("client_gone", 499, stages=("read_body", "decode"))
        script.body(size)
        script.pictures()
    with script.open(declare=10) as uploading:
        wait_until(lambda: script.now("stylize_in_flight") == 1)
        reset_when_closed(uploading)
    script.wait_for_gone(4)
    script.came_to("client_gone", 499, stages=("read_body",))


def failing(script: Script) -> None:
    for accept in ("image/png", "text/event-stream"):
        script.fail_file.touch()
        request = script.request(Accept=accept)
        answer = script.send(request)
        script.fail_file.unlink()
        code = 200 if accept == "text/event-stream" else 500  # a stream has begun with 200 by then
        assert (answer.status_code, b"internal-error" in answer.content) == (code, True)
        script.came_to("error", code, "internal-error", ("read_body", "decode", "queue", "optimise"))
        script.body(size_of(request))
        script.pictures()


def others(script: Script) -> None:
    assert script.server.get("/version").status_code == 200
    script.answered(200, route="/version", method="GET")
    assert script.server.get("/wp-login.php").status_code == 404
    script.answered(404, "not-found", route="unmatched", method="GET")
    assert script.server.get("/stylize").status_code == 405
    script.answered(405, "method-not-allowed", route="unmatched", method="GET")
    for _ in range(5):
        assert script.server.get("/readyz").status_code == 200  # counted nowhere


def no_http(script: Script) -> None:
    for said, code, problem in (
        (b"Hello?\r\n\r\n", 400, "malformed-request"),
        (b"GET / HTTP/1.1\r\nX: " + bytes(9000).replace(b"\0", b"x") + b"\r\n\r\n", 431, "headers-too-large"),
    ):
        with script.server.connect() as connection:
            connection.sendall(said)
            assert read_answer(connection)[0] == code
        script.count("stylize_http_requests_total", route="unmatched", method="other", code=str(code))
        script.count("stylize_problems_total", type=problem)


PARTS = (not_ready, good, wrong, stalled, crowded, gone, failing, others, no_http)
