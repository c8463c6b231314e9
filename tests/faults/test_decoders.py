"""Files that break their decoders, in the midst of others: each costs its own request an answer, and nobody else."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from devtools.bad_child import CRASHES, EATS, IS_KILLED, LOOPS
from devtools.running import Server
from devtools.serving import picture, wait_until

WORST = {CRASHES: 422, EATS: 422, IS_KILLED: 503, LOOPS: 422}


@pytest.fixture(scope="module")
def breakable() -> Generator[Server, None, None]:
    with Server(BREAKABLE_DECODERS=1, STYLIZE_QUEUE_SIZE=50) as server:
        yield server


def worker(server: Server) -> str:
    return Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()


def test_files_that_break_decoders_cost_nobody_else_anything(breakable: Server) -> None:
    before, painted = worker(breakable), breakable.metric('stylize_requests_total{outcome="ok"}')

    def send_worst(what: bytes) -> requests.Response:
        return breakable.post_picture(picture() + what)

    with ThreadPoolExecutor(20) as clients:
        others = [clients.submit(breakable.post) for _ in range(10)]
        worst = {what: clients.submit(send_worst, what) for what in WORST}
        others += [clients.submit(breakable.post) for _ in range(30)]
        assert {what: answer.result().status_code for what, answer in worst.items()} == WORST
        assert [answer.result().status_code for answer in others] == 40 * [200]
    assert worker(breakable) == before
    assert breakable.metric('stylize_requests_total{outcome="ok"}') == painted + 40
    assert breakable.metric("stylize_in_flight") == 0
    for cause, deaths in {"crash": 1, "memory": 1, "time": 1, "exit": 0}.items():
        assert breakable.metric(f'stylize_decoder_deaths_total{{cause="{cause}"}}') == deaths


def test_the_log_says_whose_file_it_was(breakable: Server) -> None:
    lines = len(breakable.log())
    answer = breakable.post_picture(picture() + CRASHES)
    (line,) = [line for line in breakable.log()[lines:] if line["logger"] == "service.images.decoders.pool"]
    assert line["request_id"] == answer.json()["request_id"]
    assert (line["format"], len(line["sha256"])) == ("PNG", 64)


def test_a_client_that_leaves_frees_its_decoder_at_once(breakable: Server) -> None:
    for _ in range(4):  # more than there are decoders
        with pytest.raises(requests.Timeout):
            requests.post(
                f"http://127.0.0.1:{breakable.port}/stylize",
                files={"content": ("a.png", picture() + LOOPS), "style": ("b.png", picture())},
                timeout=0.3,
            )
    assert breakable.post().status_code == 200
    wait_until(lambda: breakable.metric("stylize_in_flight") == 0)
