"""Event streams on a real gunicorn: as they happen, to the end, or as far as the client goes along."""

import requests

from devtools.events import Event
from devtools.running import Server, following, whole_request
from devtools.serving import wait_until


def test_events_arrive_as_they_happen(server: Server) -> None:
    server.hold()
    with server.stream(seed="6") as answer:
        stream = following(answer)
        assert next(stream).name == "queued"  # while the model holds
        server.release()
        *_, last = stream
        assert (last.name, last.data["seed"]) == ("result", 6)
    wait_until(
        lambda: ("ok", 6) in [(line["outcome"], line.get("seed")) for line in server.requests_logged()]
    )


def test_the_connection_can_be_used_again_after_a_stream(server: Server) -> None:
    with requests.Session() as session, server.connect() as connection:
        stream = connection.makefile("rb")
        for _ in range(2):
            connection.sendall(whole_request(accept="text/event-stream", size="32"))
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            while stream.readline() != b"0\r\n":  # the last chunk
                pass
            assert stream.readline() == b"\r\n"
        assert session.get(f"http://127.0.0.1:{server.port}/readyz").status_code == 200


def test_a_client_of_http_1_0_gets_its_events_too(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(
            whole_request(accept="text/event-stream").replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)
        )
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert b"event: result\n" in body
    assert body.endswith(b"\n\n")


def test_a_client_that_goes_away_ends_its_request_within_one_evaluation(server: Server) -> None:
    counters = (
        'stylize_requests_total{outcome="client_gone"}',
        'stylize_evaluations_discarded_total{reason="client_gone"}',
    )
    before = [server.metric(name) for name in counters]
    server.hold()
    with server.stream(seed="8") as answer:
        assert next(following(answer)).name == "queued"
        wait_until(lambda: server.metric("stylize_queue_depth") == 0)
    wait_until(lambda: server.metric(counters[0]) > before[0])
    line = server.requests_logged()[-1]
    assert (line["status"], line["outcome"], line["seed"]) == (499, "client_gone", 8)
    assert server.metric("stylize_in_flight") == 1  # only the engine gives the place back
    server.release()
    wait_until(lambda: server.metric("stylize_in_flight") == 0)
    after = [server.metric(name) for name in counters]
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1]


def test_one_that_waits_is_told_its_place_and_gives_it_back_at_once(server: Server) -> None:
    server.hold()
    with server.stream() as running:
        first = following(running)
        assert next(first) == Event(
            "queued", {"request_id": running.headers["X-Request-ID"], "position": 0, "seconds": 0.0}
        )
        wait_until(lambda: server.metric("stylize_queue_depth") == 0)
        with server.stream() as waiting:
            assert next(following(waiting)).data["position"] == 1
        wait_until(lambda: server.metric("stylize_in_flight") == 1)
        server.release()
        assert [event.name for event in first][-1] == "result"


def test_sigterm_lets_streams_finish() -> None:
    with Server() as server:
        server.hold()
        with server.stream() as running, server.stream() as waiting:
            streams = following(running), following(waiting)
            assert [next(stream).name for stream in streams] == ["queued", "queued"]
            server.terminate()
            wait_until(lambda: server.admin("/readyz").status_code == 503)
            server.release()
            assert [list(stream)[-1].name for stream in streams] == ["result", "result"]
        assert server.process.wait(60) == 0
        assert [line["outcome"] for line in server.requests_logged()] == ["ok", "ok"]
        assert not [line for line in server.log() if line["level"] in ("error", "critical", "warning")]
