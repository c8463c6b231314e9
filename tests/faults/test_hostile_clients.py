"""Clients that want to hurt: whatever they do, others are served, and the probes say what is."""

import select
import socket
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from devtools.running import Server, read_answer, reset_when_closed, whole_request
from devtools.serving import wait_until
from service.server.admin import MOST_CONNECTIONS
from service.server.gunicorn_conf import FILES_PER_PLACE, OTHER_FILES
from service.server.sending import LEAST_BYTES_PER_SECOND

THREADS = 35  # of the shared server: 3 places, and 32 for others


def worker_of(server: Server) -> int:
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return int(children.split()[0])


@contextmanager
def slow_readers(server: Server, number: int, path: str) -> Generator[list[socket.socket], None, None]:
    """So many clients that ask for a large file and have next to no room for it."""
    with ExitStack() as stack:
        clients = []
        for _ in range(number):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            client.connect(("127.0.0.1", server.port))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            clients.append(client)
        yield clients


def gone(client: socket.socket) -> bool:
    """Whether the other end has closed the connection; unread bytes do not hide that."""
    state = select.poll()
    state.register(client, select.POLLRDHUP)
    return bool(state.poll(0))


def test_clients_that_read_slowly_hold_no_thread_and_are_given_up(server: Server) -> None:
    with slow_readers(server, 2 * THREADS, "/docs/swagger-ui-bundle.js") as clients:
        began = time.monotonic()

        def trickled() -> bool:
            for client in clients:
                if select.select([client], [], [], 0)[0]:
                    with suppress(ConnectionError):
                        client.recv(16)
            return all(map(gone, clients))

        assert server.get("/readyz").status_code == 200
        wait_until(trickled)
        assert time.monotonic() - began > 0.5  # of patience


def test_a_client_that_reads_at_a_fair_pace_gets_the_whole_file(server: Server) -> None:
    whole = server.get("/docs/swagger-ui-bundle.js").content
    with slow_readers(server, 1, "/docs/swagger-ui-bundle.js") as (client,):
        began = time.monotonic()
        taken = bytearray()
        while len(taken) < len(whole) and (piece := client.recv(65536)):
            taken += piece
            ahead = len(taken) / (200 * LEAST_BYTES_PER_SECOND) - (time.monotonic() - began)
            if ahead > 0:
                threading.Event().wait(ahead)
        assert taken.endswith(whole[-1000:])


def test_one_late_byte_does_not_hide_that_a_client_has_left(server: Server) -> None:
    series = 'stylize_requests_total{outcome="client_gone"}'
    before = server.metric(series)
    server.hold()
    with server.connect() as client:
        client.sendall(whole_request() + b"\r\nGET /version HTTP/1.1\r\n")
        server.wait_until_held()
    wait_until(lambda: server.metric(series) == before + 1)  # while the picture is held


def test_the_administrative_port_cuts_off_who_stays(server: Server) -> None:
    with ExitStack() as stack:
        clients = []
        for _ in range(3 * MOST_CONNECTIONS):
            client = stack.enter_context(
                socket.create_connection(("127.0.0.1", server.admin_port), timeout=20)
            )
            client.sendall(b"GET /metrics HTTP/1.1\r\nX-A: ")
            clients.append(client)
        assert server.admin("/livez").status_code == 200
        wait_until(lambda: sum(map(gone, clients)) >= 2 * MOST_CONNECTIONS)
        assert not any(gone(client) for client in clients[-MOST_CONNECTIONS // 2 :])


def test_a_client_that_resets_the_administrative_port_leaves_no_traceback(server: Server) -> None:
    lines = len(server.log())
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", server.admin_port), timeout=20) as client:
            client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            reset_when_closed(client)
    assert server.admin("/livez").status_code == 200
    assert not server.errors(since=lines)  # and each line is JSON


PLACES = 3
FILES = OTHER_FILES + FILES_PER_PLACE * PLACES + 100


@pytest.fixture(scope="module")
def small_house() -> Generator[Server, None, None]:
    """A service with room for a hundred connections."""
    with Server(files=FILES, STYLIZE_QUEUE_SIZE=PLACES - 1) as server:
        yield server


def test_more_connections_than_file_descriptors_end_nothing(small_house: Server) -> None:
    worker = worker_of(small_house)
    with small_house.crowd(3 * FILES):
        wait_until(lambda: small_house.get("/readyz").status_code == 200)
        assert small_house.post().status_code == 200
        assert small_house.admin("/livez").status_code == 200
    assert worker_of(small_house) == worker
    assert not small_house.errors()


def test_of_idle_connections_the_oldest_make_room(small_house: Server) -> None:
    with small_house.crowd(3 * FILES, b"GET /version HTTP/1.1\r\nHost: a\r\n\r\n") as connections:
        assert read_answer(connections[-1])[0] == 200
        assert small_house.get("/version").status_code == 200
        wait_until(lambda: gone(connections[0]))
