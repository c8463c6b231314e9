"""Clients that are slow on purpose: what they cost others, and how soon each is given up.

    python -m benchmarks slow [--slow 50] [--seconds 20] [--stall 10]

Heads that come byte by byte, then uploads of one byte a second: so many of each at once. Meanwhile others
send a request each half second, one after the other; those who are told to come again later do. /livez and /readyz
are asked all the time. The model paints nothing, for 0.1 s. Exit code 1: others were not served, or a probe failed.
"""

import select
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import click

from benchmarks.service.clients import Answer, ask, prepared, probing
from benchmarks.service.percentiles import percentile
from devtools.running import Server

UPLOAD_TIMEOUT = 15.0
EVERY = 0.5
"""Seconds between two requests of the others."""

WORST_WAIT = 10.0
"""Seconds in which one of the others has to have its picture, however often it is asked to come again."""

PROBE_EVERY = 0.1

PROBED_WITHIN = 1.0
"""Seconds that a kubelet waits for a probe by default."""


class Crowd:
    """Connections that send one byte at a time: after how many seconds the service answered or closed each."""

    def __init__(self, port: int, count: int, begin: bytes, rest: bytes, interval: float) -> None:
        self.given_up: list[float] = []
        self.answers: dict[str, int] = {}
        self._begin, self._rest, self._interval = begin, rest, interval
        self._connections = {socket.create_connection(("127.0.0.1", port)): 0 for _ in range(count)}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Crowd":
        self._began = time.monotonic()
        for connection in self._connections:
            connection.sendall(self._begin)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for connection in self._connections:
            connection.close()

    @property
    def left(self) -> int:
        """Clients that still hold on."""
        return len(self._connections)

    def _run(self) -> None:
        while not self._stop.is_set() and self._connections:
            due = time.monotonic() + self._interval
            for connection, sent in list(self._connections.items()):
                self._connections[connection] = sent + 1
                with suppress(OSError):
                    connection.sendall(self._rest[sent : sent + 1])
            while (left := due - time.monotonic()) > 0 and not self._stop.is_set():
                for connection in select.select(list(self._connections), [], [], min(left, 0.1))[0]:
                    self._ended(connection)

    def _ended(self, connection: socket.socket) -> None:
        try:
            status = connection.recv(12).decode().rpartition(" ")[2] or "closed"
        except OSError:
            status = "reset"
        self.given_up.append(time.monotonic() - self._began)
        self.answers[status] = self.answers.get(status, 0) + 1
        connection.close()
        del self._connections[connection]


def persist(port: int, request: bytes) -> tuple[float, int, int]:
    """Ask until there is a picture, as Retry-After says: seconds in all, refusals before, the last status."""
    began = time.monotonic()
    refusals = 0
    answer: Answer = ask(port, request)
    while answer.status in (429, 503) and time.monotonic() - began < WORST_WAIT:
        refusals += 1
        time.sleep(answer.retry_after)
        answer = ask(port, request)
    return answer.at - began, refusals, answer.status


def measure(name: str, server: Server, seconds: float, crowd: Callable[[], Crowd] | None) -> bool:
    """Print a line about the others, and one about the crowd; whether all were served."""
    request = prepared(size="64")
    probed = [(server.admin_port, "/livez"), (server.admin_port, "/readyz"), (server.port, "/readyz")]
    others: list[tuple[float, int, int]] = []

    def ask_around() -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            others.append(persist(server.port, request))
            time.sleep(EVERY)

    with probing(probed, PROBE_EVERY) as probes:
        if crowd is None:
            ask_around()
            slow = None
        else:
            with crowd() as slow:
                ask_around()
    waits = [wait for wait, _, status in others if status == 200]
    failed = len(others) - len(waits)
    late = sum(wait > WORST_WAIT for wait in waits)
    print(
        f"{name:22} {len(others):6d} {failed:6d} {sum(refusals for _, refusals, _ in others):8d} "
        f"{percentile(waits, 0.5) * 1000:8.0f} {percentile(waits, 0.99) * 1000:8.0f} "
        f"{len(probes):7d} {percentile(probes, 0.99) * 1000:8.0f} {max(probes) * 1000:8.0f}"
    )
    if slow is not None:
        told = ", ".join(f"{count} {status}" for status, count in sorted(slow.answers.items()))
        print(
            f"  given up: {len(slow.given_up)} ({told}), p50 {percentile(slow.given_up, 0.5):.1f} s, last "
            f"{max(slow.given_up, default=float('nan')):.1f} s; still there after {seconds:g} s: {slow.left}",
            flush=True,
        )
    return failed == late == 0 and max(probes) < PROBED_WITHIN and (slow is None or slow.left == 0)


@click.command(help=__doc__)
@click.option("--slow", default=50, show_default=True, help="slow clients at once")
@click.option("--seconds", default=20.0, show_default=True, help="of each kind")
@click.option("--stall", default=10.0, show_default=True, help="STYLIZE_UPLOAD_STALL")
def main(slow: int, seconds: float, stall: float) -> None:
    head, _, body = prepared().partition(b"\r\n\r\n")
    with Server(
        EVALUATIONS=5,
        EVALUATION_SECONDS=0.02,
        STYLIZE_UPLOAD_STALL=stall,
        STYLIZE_UPLOAD_TIMEOUT=UPLOAD_TIMEOUT,
    ) as server:
        port = server.port
        print(f"{slow} slow clients; {1 + 4} places; times in milliseconds")
        print(f"{'':22} {'others':>6} {'failed':>6} {'refusals':>8} {'p50':>8} {'p99':>8}", end=" ")
        print(f"{'probes':>7} {'p99':>8} {'worst':>8}")
        well = [
            measure("alone", server, seconds / 4, None),
            measure(
                "heads byte by byte", server, seconds, lambda: Crowd(port, slow, head[:1], head[1:], 0.2)
            ),
            measure(
                "1 byte a second", server, seconds, lambda: Crowd(port, slow, head + b"\r\n\r\n", body, 1.0)
            ),
        ]
        errors = len(server.errors())
    print(f"errors in the log: {errors}")
    if not all(well) or errors:
        print(
            f"missed: others are served within {WORST_WAIT:g} s, probes are green within {PROBED_WITHIN:g} s, "
            "no slow client stays, no error"
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
