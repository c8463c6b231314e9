"""Clients that are slow on purpose, or by mistake: everyone else is answered as before."""

import select
import socket
import time
from collections.abc import Iterable

import pytest
import requests

from devtools.running import Server, read_answer, reset_when_closed, whole_request
from devtools.serving import wait_until
from service.api.paint.upload import PATIENCE_SECONDS

MANY = 100  # more than there are threads
FEW = 20  # fewer than there are threads


def seconds_to_answer(server: Server) -> float:
    begun = time.monotonic()
    assert server.get("/readyz").status_code == 200
    return time.monotonic() - begun


@pytest.fixture
def soon(server: Server) -> float:
    """Seconds that an answer may take, beside others that wait: what it takes on this computer now, and a little."""
    return 5 * max(seconds_to_answer(server) for _ in range(5)) + 0.5


def closed_by_server(connection: socket.socket) -> bool:
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""


def wait_until_given_up(connections: Iterable[socket.socket]) -> None:
    wait_until(lambda: all(closed_by_server(connection) for connection in connections))


def test_connections_that_say_nothing_cost_no_thread(server: Server, soon: float) -> None:
    with server.crowd(MANY) as connections:
        assert seconds_to_answer(server) < soon
        wait_until_given_up(connections)


def test_clients_that_do_not_close_after_their_last_answer_hold_nobody_up(
    server: Server, soon: float
) -> None:
    with server.crowd(FEW, b"GET /version HTTP/1.0\r\nHost: a\r\n\r\n") as connections:
        for connection in connections:
            assert connection.recv(12) == b"HTTP/1.0 200"
        assert seconds_to_answer(server) < soon  # gunicorn by itself: 2 seconds for each of them


def test_heads_that_never_end_cost_no_thread_and_are_given_up(server: Server, soon: float) -> None:
    with server.crowd(MANY, b"POST /stylize HTTP/1.1\r\nHos") as connections:
        assert seconds_to_answer(server) < soon
        wait_until_given_up(connections)


def test_a_head_that_comes_byte_by_byte_is_given_up_as_well(server: Server) -> None:
    begun = time.monotonic()
    with server.connect() as connection:
        wait_until(lambda: connection.send(b"x") == 1 and time.monotonic() - begun > 0.3)
        wait_until_given_up([connection])
        assert time.monotonic() - begun > 0.4


def test_the_second_head_on_a_connection_costs_no_thread_either(server: Server, soon: float) -> None:
    request = b"GET /version HTTP/1.1\r\nHost: a\r\n\r\nGET /ver"
    with server.crowd(MANY, request) as connections:
        for connection in connections:
            assert read_answer(connection)[0] == 200
        assert seconds_to_answer(server) < soon
        wait_until_given_up(connections)


def test_uploads_that_nobody_reads_cost_no_thread(server: Server, soon: float) -> None:
    request = b"POST /version HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\nx"
    with server.crowd(MANY, request) as connections:
        for connection in connections:
            assert read_answer(connection)[0] == 405
        assert seconds_to_answer(server) < soon  # gunicorn by itself: 7 seconds
        wait_until_given_up(connections)


def test_a_kept_connection_may_be_silent_between_its_requests(server: Server) -> None:
    with requests.Session() as session:
        address = f"http://127.0.0.1:{server.port}/version"
        first = session.get(address, stream=True)
        held = first.raw.connection
        assert held is not None
        connection = held.sock
        assert first.content
        begun = time.monotonic()
        wait_until(lambda: time.monotonic() - begun > 0.7)  # longer than a head may take
        assert not closed_by_server(connection)
        assert session.get(address).status_code == 200


def test_a_client_that_does_not_take_its_answers_is_given_up(server: Server) -> None:
    begun = len(server.log())
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(b"GET /openapi.yaml HTTP/1.1\r\nHost: a\r\n\r\n" * 400)  # 10 MB of answers

        def answers() -> int:
            return sum(line["route"] == "/openapi.yaml" for line in server.requests_logged())

        wait_until(lambda: answers() > 0)
        before = -1
        while before != (before := answers()):  # until no more of them fit into the buffers
            time.sleep(0.2)
        assert before < 400
        wait_until(lambda: closed_by_server_unread(connection))
    assert not server.errors(since=begun)


@pytest.mark.parametrize("taken", [0, 1000])
def test_an_answer_that_its_client_resets_is_counted_as_cut_short(server: Server, taken: int) -> None:
    counter = "stylize_http_responses_cut_short_total"
    before = server.metric(counter)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(1, socket.MSG_PEEK)  # it has begun
        connection.recv(taken)
        reset_when_closed(connection)
    wait_until(lambda: server.metric(counter) == before + 1)
    assert server.get("/version").status_code == 200
    assert server.metric(counter) == before + 1


def closed_by_server_unread(connection: socket.socket) -> bool:
    """Whether the other end is gone, seen by writing: what there is to read is not read."""
    try:
        connection.send(b"x", socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return False


def test_an_upload_that_crawls_makes_room_for_others(server: Server) -> None:
    head, _, body = whole_request().partition(b"\r\n\r\n")
    with server.crowd(3, head + b"\r\n\r\n") as connections:
        wait_until(lambda: server.metric("stylize_in_flight") == 3)
        begun = time.monotonic()

        def trickled() -> bool:
            for connection in connections:
                connection.sendall(body[:1])
            time.sleep(0.1)
            return time.monotonic() - begun > PATIENCE_SECONDS

        wait_until(trickled)
        assert server.post().status_code == 200
        answers = [read_answer(connection) for connection in connections]
    assert [status for status, _, _ in answers] == [408, 408, 408]  # the others for taking too long
    assert sum(b"others were waiting" in problem for _, _, problem in answers) == 1
