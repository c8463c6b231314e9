"""A real gunicorn in a process of its own."""

import atexit
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import requests

from devtools.events import Event, read
from devtools.gunicorns import Forked, Fresh
from devtools.serving import picture, wait_until

ROOT = Path(__file__).parents[1]
FAKE_APP = "devtools.serving:create_fake_app()"


_reserved: list[socket.socket] = []
"""As long as a socket is bound to a port, Linux gives the port to nobody else who asks for any."""


@atexit.register
def _give_ports_back() -> None:
    for each in _reserved:
        each.close()


def free_ports(count: int) -> tuple[int, ...]:
    """Ports that nobody listens on, and that no other test of this computer is given while this process runs.

    A server that sets SO_REUSEADDR, as nearly all do, may listen on them.
    """
    for _ in range(count):
        each = socket.socket()
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        each.bind(("127.0.0.1", 0))
        _reserved.append(each)
    return tuple(int(each.getsockname()[1]) for each in _reserved[-count:])


OF_THE_COMPUTER = "STYLIZE_PRECISION"
"""The setting that says what computer this is (`make test-avx2`), and so holds in every test."""


def environment(**settings: object) -> dict[str, str]:
    """This process's, with no settings but these and the precision that all tests have."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("STYLIZE_") or name == OF_THE_COMPUTER
    }
    return inherited | {name: str(value) for name, value in settings.items()}


def stop(process: subprocess.Popen[bytes] | Forked, seconds: float = 20) -> int:
    """End a process: asked to, and after so many seconds made to. Returns its exit code."""
    process.terminate()
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class Server:
    """gunicorn with the service's configuration; use it as a context manager.

    Args:
        app: what gunicorn serves: the one with a model that paints nothing, unless given.
        files: how many it may have open, unless that is this process's.
        settings: environment variables. The ports are free ones unless given.

    Attributes:
        forked: whether servers are copies of a process that has imported what they need, which tests choose.
    """

    forked: ClassVar[bool] = False
    start_seconds: ClassVar[float] = 60

    def __init__(self, app: str = FAKE_APP, files: int | None = None, **settings: object) -> None:
        ports = dict(zip(("STYLIZE_PORT", "STYLIZE_ADMIN_PORT"), free_ports(2), strict=True))
        chosen = ports | settings
        self.port, self.admin_port = (int(str(chosen[name])) for name in ports)
        self.host = "[::1]" if "::1" in str(chosen.get("STYLIZE_HOST", "")) else "127.0.0.1"
        self.folder = tempfile.TemporaryDirectory()
        self.hold_file = Path(self.folder.name) / "hold"
        self.fault_file = Path(self.folder.name) / "fault"
        self._log = Path(self.folder.name) / "log"
        self._logs_requests = chosen.get("STYLIZE_LOG_LEVEL", "info") in ("debug", "info")
        self._log.touch()
        self.process = self._started(app, files, chosen)

    def _started(
        self, app: str, files: int | None, settings: Mapping[str, object]
    ) -> subprocess.Popen[bytes] | Forked:
        return (Forked if self.forked else Fresh)(
            ["-c", "python:service.server.gunicorn_conf", app],
            environment(**{"STEP_FILE": self.hold_file, "FAULT_FILE": self.fault_file, **settings}),
            ROOT,
            self._log,
            files,
        )

    def __enter__(self) -> "Server":
        try:
            wait_until(self.ready, self.start_seconds)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        stop(self.process)
        self.folder.cleanup()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def ready(self) -> bool:
        """Whether it serves; fails where it has ended instead."""
        assert self.process.poll() is None, self.output()
        try:
            return self.get("/readyz").status_code == 200
        except (requests.ConnectionError, requests.Timeout):  # a busy machine takes long to load everything
            return False

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=10)

    def admin(self, path: str) -> requests.Response:
        return requests.get(f"http://{self.host}:{self.admin_port}{path}", timeout=10)

    def post(self, headers: dict[str, str] | None = None, **options: str) -> requests.Response:
        """POST /stylize with two small pictures."""
        return self.post_picture(picture(), headers, **options)

    def post_picture(
        self, content: bytes, headers: dict[str, str] | None = None, **options: str
    ) -> requests.Response:
        """POST /stylize with this photograph and a small artwork."""
        files = {"content": ("photo.png", content), "style": ("art.png", picture(color="orange"))}
        url = f"http://127.0.0.1:{self.port}/stylize"
        return requests.post(url, data=options, files=files, headers=headers, timeout=60)

    def stream(self, **options: str) -> requests.Response:
        """POST /stylize for events; returns at its head. Use it as a context manager."""
        files = {"content": ("photo.png", picture()), "style": ("art.png", picture(color="orange"))}
        return requests.post(
            f"http://127.0.0.1:{self.port}/stylize",
            data=options,
            files=files,
            headers={"Accept": "text/event-stream"},
            stream=True,
            timeout=60,
        )

    def connect(self) -> socket.socket:
        """A connection to say anything on."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    @contextmanager
    def crowd(self, number: int, request: bytes = b"") -> Iterator[list[socket.socket]]:
        """So many connections at once, each of which has sent this."""
        with ExitStack() as stack:
            connections = [stack.enter_context(self.connect()) for _ in range(number)]
            for connection in connections:
                connection.sendall(request)
            yield connections

    def hold(self, after: int = 0) -> None:
        """Let the model stop after so many evaluations of a picture, or at its next one."""
        written = self.hold_file.with_suffix(".new")
        written.write_text(str(after))
        written.replace(self.hold_file)  # at once: nobody reads half a number

    def wait_until_held(self) -> None:
        """A request is being painted, and holds where it was told to."""
        wait_until(self.hold_file.with_suffix(".held").exists)

    def release(self) -> None:
        """Let it go on."""
        self.hold_file.unlink(missing_ok=True)

    def settle(self) -> None:
        """Let it go on, and wait until nobody is inside any more."""
        self.release()
        wait_until(lambda: self.metric("stylize_in_flight") == 0)

    def metric(self, name: str) -> float:
        """The value of one series, like stylize_in_flight."""
        for line in self.admin("/metrics").text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        raise AssertionError(f"there is no {name}")

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def kill_worker(self) -> None:
        """End the process that serves at once, as a lack of memory would; gunicorn's master starts another."""
        os.kill(self.worker(), signal.SIGKILL)

    def worker(self) -> int:
        """The process that serves: a child of the master's."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def output(self) -> str:
        return self._log.read_text()

    def log(self) -> list[dict[str, Any]]:
        """Its log so far; every line of it is JSON, and there is one for each request that it has counted.

        Lines are written on a thread of their own, so the last of them may come after the answer.
        """
        if self._logs_requests:
            with suppress(AssertionError):  # of thousands at once, some may have been dropped
                wait_until(lambda: len(self._lines_of_requests()) >= self._counted(), 5)
        return self._lines()

    def _lines(self) -> list[dict[str, Any]]:
        whole = self.output().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def _lines_of_requests(self) -> list[dict[str, Any]]:
        return [line for line in self._lines() if line["logger"] == "stylize.request"]

    def _counted(self) -> float:
        """Requests that it has answered, as its metrics say; 0 where it cannot be asked."""
        if self.process.poll() is not None:
            return 0
        try:
            metrics = self.admin("/metrics").text
        except requests.RequestException:
            return 0
        return sum(
            float(line.rpartition(" ")[2])
            for line in metrics.splitlines()
            # What is not even HTTP is of an unknown method, and its line is another one.
            if line.startswith("stylize_http_requests_total{") and 'method="other"' not in line
        )

    def errors(self, since: int = 0) -> list[dict[str, Any]]:
        """What it logged as wrong after its first `since` lines."""
        return [line for line in self.log()[since:] if line["level"] in ("error", "critical")]

    def requests_logged(self) -> list[dict[str, Any]]:
        """The lines of requests."""
        return [line for line in self.log() if line["logger"] == "stylize.request"]


class RealServer(Server):
    """The service as its users start it, `python -m service serve`, with their settings and these.

    Args:
        log: file for what it says.
        settings: environment variables. The ports are free ones unless given.

    Raises:
        SystemExit: on leaving the context, where it ended with an error; says where its log is.
    """

    start_seconds = 120  # a GPU is warmed up

    def __init__(self, log: Path, **settings: object) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        self._kept_log = log
        super().__init__(FAKE_APP, None, **settings)

    def _started(
        self, app: str, files: int | None, settings: Mapping[str, object]
    ) -> subprocess.Popen[bytes] | Forked:
        chosen = os.environ | {name: str(value) for name, value in settings.items()}
        return Fresh(["serve"], chosen, Path.cwd(), self._kept_log, files, program="service")

    def __exit__(self, *_: object) -> None:
        code = stop(self.process, 60)
        self.folder.cleanup()
        if code != 0:
            sys.exit(f"the service ended with {code} instead of 0: see {self._kept_log}")

    def output(self) -> str:
        return self._kept_log.read_text()


def following(answer: requests.Response) -> Iterator[Event]:
    """The events of a stream, each as it comes."""
    assert answer.headers["Content-Type"] == "text/event-stream"
    return read(answer.iter_content(chunk_size=None))


def whole_request(content: bytes | None = None, /, accept: str = "*/*", **options: str) -> bytes:
    """The bytes of a POST /stylize, for a connection of one's own: with two small pictures, or this photograph."""
    files = {"content": ("photo.png", content or picture()), "style": ("art.png", picture())}
    request = requests.Request("POST", "http://127.0.0.1/stylize", data=options, files=files).prepare()
    head = "".join(f"{name}: {request.headers[name]!s}\r\n" for name in ("Content-Type", "Content-Length"))
    assert isinstance(request.body, bytes)
    return f"POST /stylize HTTP/1.1\r\nHost: test\r\nAccept: {accept}\r\n{head}\r\n".encode() + request.body


def reset_when_closed(connection: socket.socket) -> None:
    """Let a connection end without a farewell: its other end is told that it was reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def read_answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (names in lower case) and body of one answer."""
    stream = connection.makefile("rb")
    status = int(stream.readline().split()[1])
    headers: dict[str, str] = {}
    while line := stream.readline().decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return status, headers, stream.read(int(headers["content-length"]))
