"""Clients that are killed at any point of their request."""

import random
import time
from collections.abc import Callable
from typing import NamedTuple

from devtools.running import Server, whole_request
from devtools.serving import wait_until

EVALUATION = 0.02
"""Seconds."""

EVALUATIONS = 25
ALLOWED = EVALUATION + 0.1
"""Seconds from a kill until the engine is free."""


class Kill(NamedTuple):
    """One client's end."""

    point: str
    seconds: float


def before_the_body(server: Server, generator: random.Random) -> float:
    """The head has been sent, and nothing of the body."""
    request = whole_request()
    with server.connect() as connection:
        connection.sendall(request[: request.index(b"\r\n\r\n") + 4])
        wait_until(lambda: server.metric("stylize_in_flight") == 1)
        killed = time.monotonic()
    return until_free(server, killed)


def half_way(server: Server, generator: random.Random) -> float:
    """Somewhere inside the body."""
    request = whole_request()
    with server.connect() as connection:
        connection.sendall(request[: generator.randrange(request.index(b"\r\n\r\n") + 5, len(request))])
        wait_until(lambda: server.metric("stylize_in_flight") == 1)
        killed = time.monotonic()
    return until_free(server, killed)


def queued(server: Server, generator: random.Random) -> float:
    """While another is painted; that one is given up afterwards."""
    before = server.metric("stylize_evaluations_total")
    with server.connect() as running:
        server.hold(after=1)
        running.sendall(whole_request(accept=accept(generator)))
        # Not only inside, but with the engine: else the second might be there before it.
        wait_until(lambda: server.metric("stylize_evaluations_total") > before)
        with server.connect() as waiting:
            waiting.sendall(whole_request(accept=accept(generator)))
            wait_until(lambda: server.metric("stylize_queue_depth") == 1)
            killed = time.monotonic()
        wait_until(lambda: server.metric("stylize_in_flight") == 1)
        seconds = time.monotonic() - killed
        server.release()
    until_free(server, killed)
    return seconds


def running(server: Server, generator: random.Random) -> float:
    """At any moment of the optimisation."""
    with server.connect() as connection:
        connection.sendall(whole_request(accept=accept(generator)))
        wait_until(lambda: server.metric("stylize_in_flight") == 1)
        time.sleep(generator.uniform(0, EVALUATIONS * EVALUATION * 0.6))
        killed = time.monotonic()
    return until_free(server, killed)


def reading(server: Server, generator: random.Random) -> float:
    """With the beginning of the answer read."""
    with server.connect() as connection:
        connection.sendall(whole_request(accept="image/png"))
        connection.recv(16)
        killed = time.monotonic()
    return until_free(server, killed)


POINTS: dict[str, Callable[[Server, random.Random], float]] = {
    function.__name__.replace("_", " "): function
    for function in (before_the_body, half_way, queued, running, reading)
}


def accept(generator: random.Random) -> str:
    """Clients of events are killed too."""
    return generator.choice(("image/png", "application/json", "text/event-stream"))


def until_free(server: Server, since: float) -> float:
    """Seconds until every place is free."""
    wait_until(lambda: server.metric("stylize_in_flight") == 0)
    return time.monotonic() - since


def slow_server() -> Server:
    """One whose pictures take half a second."""
    return Server(EVALUATIONS=EVALUATIONS, EVALUATION_SECONDS=EVALUATION, STYLIZE_QUEUE_SIZE=2)


def kill_clients(server: Server, kills: int, seed: int) -> list[Kill]:
    """Kill so many of them, at each point equally often."""
    generator = random.Random(seed)
    names = [list(POINTS)[number % len(POINTS)] for number in range(kills)]
    generator.shuffle(names)
    return [Kill(name, POINTS[name](server, generator)) for name in names]


def accounts(server: Server) -> tuple[int, int, int, int]:
    """Requests counted; evaluations made, delivered (of pictures that came out), and discarded."""
    metrics = [line for line in server.admin("/metrics").text.splitlines() if line and line[0] != "#"]
    values = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in metrics}

    def total(prefix: str) -> int:
        return round(sum(value for name, value in values.items() if name.startswith(prefix)))

    made, discarded = total("stylize_evaluations_total"), total("stylize_evaluations_discarded_total")
    painted = total('stylize_requests_total{outcome="ok"}')
    return total("stylize_requests_total"), made, painted * EVALUATIONS, discarded
