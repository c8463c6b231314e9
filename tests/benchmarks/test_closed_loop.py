"""Clients that wait for each answer."""

from benchmarks.service import closed_loop
from devtools.running import Server
from devtools.serving import picture


def test_clients_count_pictures_and_other_answers_apart() -> None:
    files = {"content": picture(), "style": picture(color="orange")}
    with Server() as server:
        url = f"http://127.0.0.1:{server.port}"
        found = closed_loop.load(url, files, clients=2, seconds=60, most=3, size=64)
        wrong = closed_loop.load(url, files, clients=1, seconds=60, most=2, size=1)
    assert len(found.seconds) == 6
    assert found.others == []
    assert found.seconds == sorted(found.seconds)
    assert found.percentile(0.0) == found.seconds[0]
    assert found.percentile(1.0) == found.seconds[-1]
    assert found.rate > 0
    assert (wrong.seconds, wrong.others) == ([], [422, 422])


def test_the_stages_of_an_answer_and_the_rest_are_what_its_client_waited() -> None:
    files = {"content": picture(), "style": picture(color="orange")}
    with Server() as server:
        url = f"http://127.0.0.1:{server.port}"
        found = closed_loop.load(url, files, clients=1, seconds=0, most=1, size=64)
    assert list(found.stages) == ["queue", "decode", "optimise", "encode", "rest"]
    assert sum(sum(seconds) for seconds in found.stages.values()) == found.seconds[0]
    assert found.stages["rest"][0] > 0


def test_a_service_that_is_not_there_is_an_answer_too() -> None:
    found = closed_loop.load("http://127.0.0.1:9", {}, clients=1, seconds=1, most=5)
    assert found.others == [0]
