"""Whether the public port answers, as seen from outside."""

import socket
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from flask import Flask
from flask.testing import FlaskClient

from devtools.running import free_ports
from devtools.serving import Clock, FakeModel, started
from service.api.app import create_admin_app
from service.api.context import service_of
from service.monitoring.door import ALIVE_SECONDS, READY_SECONDS, Door


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app() -> Generator[Flask, None, None]:
    app = started(FakeModel())
    yield app
    service_of(app).stop()


@pytest.fixture
def probes(app: Flask, clock: Clock) -> FlaskClient:
    """Of a service at whose door somebody has knocked once."""
    door = service_of(app).door
    door._clock = clock
    door._answered = clock()
    return create_admin_app(service_of(app)).test_client()


def test_a_door_that_nobody_knocks_at_is_not_silent(clock: Clock) -> None:
    assert Door(clock).silence == 0


def test_a_port_that_is_closed_does_not_answer(clock: Clock) -> None:
    assert not Door(clock).knock("127.0.0.1", free_ports(1)[0], 1)


def test_a_port_that_accepts_and_says_nothing_does_not_answer(clock: Clock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not Door(clock).knock("127.0.0.1", silent.getsockname()[1], 0.1)


def test_every_answer_whatever_it_says_ends_the_silence(clock: Clock) -> None:
    door = Door(clock)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:  # which answers 501
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        silences = []
        for _ in range(2):
            clock.now += ALIVE_SECONDS
            door.knock("127.0.0.1", server.server_port)
            silences.append(door.silence)
            clock.now += 1
            silences.append(door.silence)
        server.shutdown()
    assert silences == [0, 1, 0, 1]


def test_probes_say_no_where_the_public_port_does_not_answer(probes: FlaskClient, clock: Clock) -> None:
    assert (probes.get("/readyz").status_code, probes.get("/livez").status_code) == (200, 200)
    clock.now += READY_SECONDS
    assert (probes.get("/readyz").status_code, probes.get("/livez").status_code) == (503, 200)
    clock.now += ALIVE_SECONDS - READY_SECONDS
    assert (probes.get("/readyz").status_code, probes.get("/livez").status_code) == (503, 503)


def test_who_drains_is_not_dead_though_nobody_gets_in(app: Flask, probes: FlaskClient, clock: Clock) -> None:
    service_of(app).engine.drain()
    clock.now += ALIVE_SECONDS
    assert probes.get("/livez").status_code == 200
