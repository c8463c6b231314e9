"""Clients that do not wait: what they asked for is given up, so that the engine is free for others."""

from devtools.running import Server, read_answer, whole_request
from devtools.serving import wait_until


def test_a_running_request_is_given_up_within_one_evaluation(server: Server) -> None:
    counters = (
        'stylize_requests_total{outcome="client_gone"}',
        "stylize_evaluations_total",
        'stylize_evaluations_discarded_total{reason="client_gone"}',
    )
    before = [server.metric(name) for name in counters]
    server.hold()
    with server.connect() as connection:
        connection.sendall(whole_request(seed="1"))
        server.wait_until_held()
    wait_until(lambda: server.metric(counters[0]) > before[0])
    line = server.requests_logged()[-1]
    assert (line["status"], line["outcome"], line["seed"]) == (499, "client_gone", 1)
    assert server.metric("stylize_in_flight") == 1  # the evaluation that is under way is not over yet
    server.release()
    wait_until(lambda: server.metric("stylize_in_flight") == 0)
    after = [server.metric(name) for name in counters]
    assert [new - old for new, old in zip(after, before, strict=True)] == [
        1,
        1,
        1,
    ]  # one evaluation, of three


def test_a_waiting_request_gives_its_place_back_at_once(server: Server) -> None:
    server.hold()
    with server.connect() as running:
        running.sendall(whole_request(seed="2"))
        server.wait_until_held()
        with server.connect() as waiting:
            waiting.sendall(whole_request(seed="3"))
            wait_until(lambda: server.metric("stylize_queue_depth") == 1)
        wait_until(lambda: server.metric("stylize_in_flight") == 1)
        assert server.metric("stylize_queue_depth") == 0
        server.release()
        status, headers, _ = read_answer(running)
    assert (status, headers["x-stylize-seed"]) == (200, "2")


def test_a_client_that_pipelines_its_next_request_is_still_there(server: Server) -> None:
    server.hold()
    with server.connect() as connection:
        connection.sendall(whole_request(seed="4") + b"GET /readyz HTTP/1.1\r\nHost: test\r\n\r\n")
        wait_until(lambda: server.metric("stylize_in_flight") == 1)
        server.release()
        stream = connection.makefile("rb")
        assert stream.readline().startswith(b"HTTP/1.1 200")


def test_more_than_there_are_places_are_refused_while_the_first_go_on(server: Server) -> None:
    server.hold()
    with server.crowd(3, whole_request()) as connections:
        wait_until(lambda: server.metric("stylize_in_flight") == 3)
        refused = server.post()
        assert refused.status_code == 429
        assert refused.json()["type"] == "/problems/queue-full"
        assert int(refused.headers["Retry-After"]) >= 1
        server.release()
        assert [read_answer(connection)[0] for connection in connections] == [200, 200, 200]
