"""Answers go at the pace of who takes them, and nobody waits for that but the answer itself."""

import socket
from collections.abc import Generator

import pytest

from devtools.serving import Clock
from service.server.sending import LEAST_BYTES_PER_SECOND, Outgoing, TooSlowError

BIG = bytes(4 << 20)  # more than the kernel takes


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connection(clock: Clock) -> Generator[tuple[Outgoing, socket.socket], None, None]:
    """Ours, and the client's."""
    one, client = socket.socketpair()
    with Outgoing(fileno=one.detach()) as ours, client:
        ours.patience, ours.clock = 5.0, clock
        yield ours, client


def take(client: socket.socket, size: int) -> int:
    """Read so many bytes."""
    taken = 0
    while taken < size:
        taken += len(client.recv(min(65536, size - taken)))
    return taken


def test_a_small_answer_is_sent_at_once(connection: tuple[Outgoing, socket.socket]) -> None:
    ours, client = connection
    ours.sendall(b"small")
    assert not ours.unfinished
    assert client.recv(10) == b"small"


def test_who_makes_a_large_answer_does_not_wait_for_its_client(
    connection: tuple[Outgoing, socket.socket],
) -> None:
    ours, client = connection
    ours.sendall(BIG)
    assert ours.unfinished
    left = len(BIG)
    while not ours.send_rest():
        left -= take(client, 65536)
    assert take(client, left) == left


def test_a_client_that_takes_nothing_is_given_up_after_a_while(
    connection: tuple[Outgoing, socket.socket], clock: Clock
) -> None:
    ours, _ = connection
    ours.sendall(BIG)
    clock.now += 5
    ours.check_pace()
    clock.now += 10_000
    with pytest.raises(TooSlowError):
        ours.send_rest()
    with pytest.raises(TooSlowError):
        ours.sendall(b"the next piece")


def test_a_client_that_takes_enough_of_it_is_not(
    connection: tuple[Outgoing, socket.socket], clock: Clock
) -> None:
    ours, client = connection
    ours.sendall(BIG)
    for _ in range(20):
        take(client, 65536)
        ours.send_rest()
        clock.now += 65536 / LEAST_BYTES_PER_SECOND / 2
        ours.check_pace()


def test_a_client_that_has_left_is_an_error(connection: tuple[Outgoing, socket.socket]) -> None:
    ours, client = connection
    client.close()
    with pytest.raises(BrokenPipeError):
        ours.sendall(b"picture")
