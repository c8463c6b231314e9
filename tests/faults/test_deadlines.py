"""Deadlines at a real server: refused, passed while waiting, and kept."""

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import pytest

from devtools.running import Server
from devtools.serving import wait_until

EVALUATION = 0.05


@pytest.fixture(scope="module")
def slow_server() -> Generator[Server, None, None]:
    """Its pictures take a second."""
    with Server(EVALUATIONS=20, EVALUATION_SECONDS=EVALUATION, STYLIZE_QUEUE_SIZE=2) as server:
        server.post()  # now it knows
        yield server


def within(seconds: float) -> dict[str, str]:
    return {"X-Request-Timeout": str(seconds)}


def test_the_best_picture_so_far_comes_before_the_deadline(slow_server: Server) -> None:
    begun = time.monotonic()
    slow_server.post()
    whole = time.monotonic() - begun  # 20 evaluations, and what else this computer is busy with
    begun = time.monotonic()
    answer = slow_server.post(within(0.6))
    took = time.monotonic() - begun
    assert answer.status_code == 200
    assert answer.headers["X-Stylize-Stopped"] == "budget"
    assert 1 <= int(answer.headers["X-Stylize-Evaluations"]) <= 0.6 / EVALUATION
    assert took < whole


def test_what_would_begin_too_late_is_refused_at_once(slow_server: Server) -> None:
    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(slow_server.post) for _ in range(2)]  # one second at least
        wait_until(lambda: slow_server.metric("stylize_in_flight") == 2)
        refused = slow_server.post(within(0.4))
        assert refused.status_code == 503
        assert refused.json()["type"] == "/problems/cannot-meet-deadline"
        assert int(refused.headers["Retry-After"]) >= 1
        assert [other.result().status_code for other in others] == [200, 200]


def test_a_deadline_that_passes_in_the_queue_frees_the_place_at_once(server: Server) -> None:
    server.post()  # now it thinks that pictures take no time
    with ThreadPoolExecutor(1) as pool:
        server.hold()
        first = pool.submit(server.post)
        wait_until(lambda: server.metric("stylize_in_flight") == 1)
        answer = server.post(within(0.3))
        assert answer.status_code == 504
        assert answer.json()["type"] == "/problems/deadline-exceeded"
        assert server.metric("stylize_queue_depth") == 0
        assert server.metric("stylize_in_flight") == 1
        server.release()
        assert first.result().status_code == 200


def test_a_deadline_that_passes_before_the_first_evaluation_gives_the_job_up(server: Server) -> None:
    discarded = 'stylize_evaluations_discarded_total{reason="deadline"}'
    before = server.metric(discarded)
    server.hold()
    # long enough for a busy computer to begin with it
    assert server.post(within(1.0)).status_code == 504
    assert server.metric("stylize_in_flight") == 1  # the evaluation is not over yet
    server.release()
    wait_until(lambda: server.metric("stylize_in_flight") == 0)
    assert server.metric(discarded) == before + 1
