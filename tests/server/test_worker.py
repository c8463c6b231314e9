"""The loop that all connections depend on; what it does to real ones is in tests/faults."""

import selectors
import socket
from collections import deque
from collections.abc import Generator
from contextlib import ExitStack
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from service.server.sending import Outgoing
from service.server.worker import Worker


@pytest.fixture
def worker() -> Generator[Worker, None, None]:
    """One with no connections, and room for two."""
    loop = Worker.__new__(Worker)
    loop.poller = selectors.DefaultSelector()
    loop.nr_conns, loop.worker_connections = 0, 2
    loop.lingering, loop.pending_conns, loop.keepalived_conns, loop.sending = (
        deque(),
        deque(),
        deque(),
        deque(),
    )
    yield loop
    loop.poller.close()


def test_a_connection_that_was_closed_meanwhile_is_not_read_from(worker: Worker) -> None:
    called = []

    def close(other: socket.socket, one: socket.socket) -> None:
        called.append(one)
        worker.poller.unregister(other)
        other.close()

    with ExitStack() as stack:
        pairs = [socket.socketpair() for _ in range(2)]
        for pair in pairs:
            for end in pair:
                stack.enter_context(end)
        (here, there), (here_too, there_too) = pairs
        worker.poller.register(here, selectors.EVENT_READ, partial(close, here_too))
        worker.poller.register(here_too, selectors.EVENT_READ, partial(close, here))
        there.send(b"1")
        there_too.send(b"2")
        worker.wait_for_and_dispatch_events(1.0)
    assert len(called) == 1


def test_where_the_house_is_full_once_nobody_is_busy_the_oldest_goes(worker: Worker) -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    idle: list[Any] = [SimpleNamespace(sock=Outgoing(fileno=pair[0].detach())) for pair in pairs]
    for conn in idle:
        worker.poller.register(conn.sock, selectors.EVENT_READ, None)
        worker.keepalived_conns.append(conn)
    worker.nr_conns = 2
    worker.wait_for_and_dispatch_events(0)
    assert worker.nr_conns == 1
    assert list(worker.keepalived_conns) == idle[1:]
    assert idle[0].sock.fileno() < 0
    idle[1].sock.close()
    for _, client in pairs:
        client.close()
