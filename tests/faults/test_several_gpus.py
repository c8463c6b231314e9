"""Four services behind HAProxy with the configuration that users of several GPUs get; they paint on no GPU here."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import requests

from devtools.proxy import ProxyMissingError, found, serving
from devtools.running import Server
from devtools.serving import picture, wait_until

GPUS = 4


def post(port: int) -> int:
    """The status of a request to paint, on a connection of its own."""
    files = {"content": ("photo.png", picture()), "style": ("art.png", picture(color="orange"))}
    return requests.post(f"http://127.0.0.1:{port}/stylize", files=files, timeout=60).status_code


def instance(**settings: Any) -> Server:
    """One that takes a tenth of a second for a picture; not ready yet."""
    return Server(EVALUATIONS=5, EVALUATION_SECONDS=0.02, **settings)


@pytest.fixture
def instances() -> Iterator[list[Server]]:
    """The services; a test may put others in their places."""
    try:
        found("haproxy")
    except ProxyMissingError:
        if os.environ.get("HAPROXY_TESTS") == "required":
            raise
        pytest.skip("there is no haproxy: apt-get install haproxy")
    servers = [instance() for _ in range(GPUS)]
    try:
        for server in servers:
            server.__enter__()
        yield servers
    finally:
        for server in servers:
            server.__exit__()


@pytest.fixture
def port(instances: list[Server]) -> Iterator[int]:
    """HAProxy's, which has the services behind it."""
    with serving("haproxy", [server.port for server in instances]) as port:
        yield port


@contextmanager
def load(port: int, clients: int) -> Iterator[list[Future[int]]]:
    """So many clients that ask again as soon as they have their answer; all answers, once the block is left."""
    answers: list[Future[int]] = []
    stop = threading.Event()

    def ask_on() -> None:
        while not stop.is_set():
            answer: Future[int] = Future()
            answers.append(answer)
            try:
                answer.set_result(post(port))
            except requests.RequestException as error:
                answer.set_exception(error)

    with ThreadPoolExecutor(clients) as pool:
        for _ in range(clients):
            pool.submit(ask_on)
        try:
            yield answers
        finally:
            stop.set()


def inside(instances: list[Server]) -> list[int]:
    """Requests that each of them has."""
    return [int(server.metric("stylize_in_flight")) for server in instances]


def test_a_request_goes_to_the_one_that_has_room(instances: list[Server], port: int) -> None:
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(2 * GPUS + 1))
        for server in instances:
            server.hold()
            stack.callback(server.release)
        asked = [pool.submit(post, port) for _ in range(GPUS)]
        wait_until(lambda: inside(instances) == [1, 1, 1, 1])
        asked += [pool.submit(post, port) for _ in range(GPUS)]
        wait_until(lambda: inside(instances) == [2, 2, 2, 2])
        instances[2].settle()
        wait_until(lambda: sum(each.done() for each in asked) == 2)
        instances[2].hold()
        asked.append(pool.submit(post, port))
        wait_until(lambda: inside(instances) == [2, 2, 1, 2])
        for server in instances:
            server.release()
        assert [each.result() for each in asked] == [200] * 9


def test_one_is_stopped_and_started_again_under_load_and_no_request_is_lost(
    instances: list[Server], port: int
) -> None:
    victim = instances[0]
    with load(port, clients=2 * GPUS) as answers:
        wait_until(lambda: victim.metric("stylize_in_flight") > 0)
        victim.terminate()
        assert victim.process.wait(60) == 0
        victim.__exit__()
        before = len(answers)
        wait_until(lambda: len(answers) > before + 2 * GPUS)  # the others go on
        instances[0] = instance(STYLIZE_PORT=victim.port, STYLIZE_ADMIN_PORT=victim.admin_port)
        instances[0].__enter__()
        painted = 'stylize_requests_total{outcome="ok"}'
        wait_until(lambda: instances[0].metric(painted) > 1)  # it gets its share again
    assert {answer.result() for answer in answers} == {200}
    assert len(answers) > 4 * GPUS
