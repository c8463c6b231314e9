"""Clients that cost little, so that they do not keep the service on the same machine from its cores."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from devtools.running import read_answer, whole_request

BROKEN = 0
"""In place of a status: the connection ended without an answer."""


class Answer(NamedTuple):
    """One request's, as its client saw it.

    Attributes:
        status: of HTTP, or BROKEN.
        seconds: from connecting to the end of the answer.
        at: when that was, on the monotonic clock.
        retry_after: seconds that the answer asks to wait; 0 where it does not.
    """

    status: int
    seconds: float
    at: float
    retry_after: int


def prepared(headers: dict[str, str] | None = None, **options: str) -> bytes:
    """The bytes of a POST /stylize with two small pictures, to be sent many times."""
    head = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    return whole_request(**options).replace(b"\r\n", f"\r\nConnection: close\r\n{head}".encode(), 1)


def ask(port: int, request: bytes, timeout: float = 60.0) -> Answer:
    """Send a request on a connection of its own, and read the answer."""
    began = time.monotonic()
    status, retry_after = BROKEN, 0
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
            connection.sendall(request)
            status, headers, body = read_answer(connection)
            if len(body) < int(headers["content-length"]):  # cut short
                status = BROKEN
            retry_after = int(headers.get("retry-after", 0))
    except (OSError, IndexError, KeyError):  # refused, reset, silent; or closed before or within the head
        status = BROKEN
    ended = time.monotonic()
    return Answer(status, ended - began, ended, retry_after)


@contextmanager
def probing(probes: Sequence[tuple[int, str]], every: float) -> Iterator[list[float]]:
    """Ask again and again; the seconds that each answer took, infinite where it was not 200.

    Args:
        probes: ports and paths, asked in turn.
        every: seconds between two rounds.
    """
    took: list[float] = []
    stop = threading.Event()

    def probe() -> None:
        while not stop.wait(every):
            for port, path in probes:
                began = time.monotonic()
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                try:
                    connection.request("GET", path)
                    green = connection.getresponse().status == 200
                except (OSError, http.client.HTTPException):
                    green = False
                connection.close()
                took.append(time.monotonic() - began if green else float("inf"))

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield took
    finally:
        stop.set()
        thread.join()
