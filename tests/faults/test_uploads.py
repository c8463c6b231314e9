"""Uploads that do not go well, on a real gunicorn: each is answered in time and gives its place back."""

import json
import threading
import time

import pytest

from devtools.running import Server, read_answer, whole_request
from devtools.serving import wait_until

REQUEST = whole_request()
HEAD, _, BODY = REQUEST.partition(b"\r\n\r\n")


def problem(answer: tuple[int, dict[str, str], bytes], status: int, slug: str) -> str:
    assert answer[0] == status, answer
    assert answer[1]["content-type"] == "application/problem+json"
    body = json.loads(answer[2])
    assert body["type"] == f"/problems/{slug}"
    return str(body["detail"])


def test_one_that_stalls_is_given_up(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(REQUEST[:-10])
        assert "0.5 seconds" in problem(read_answer(connection), 408, "upload-stalled")


def test_one_that_trickles_is_given_up_as_well(server: Server) -> None:
    done = threading.Event()

    def trickle() -> None:
        for byte in BODY:
            if done.wait(0.1):
                return
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                return

    begun = time.monotonic()
    with server.connect() as connection:
        connection.sendall(HEAD + b"\r\n\r\n")
        thread = threading.Thread(target=trickle)
        thread.start()
        assert "1.5 seconds" in problem(read_answer(connection), 408, "upload-stalled")
        assert 1.4 < time.monotonic() - begun < 0.1 * len(BODY), (
            "not before its time, nor after the last byte"
        )
        done.set()
        thread.join()


def test_uploads_that_hang_do_not_keep_others_from_an_answer(server: Server) -> None:
    with server.crowd(3, HEAD + b"\r\n\r\n") as connections:
        wait_until(lambda: server.metric("stylize_in_flight") == 3)
        refused = server.post()
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) >= 1
        assert server.get("/readyz").status_code == 200
        assert server.admin("/livez").status_code == 200
        for connection in connections:
            assert read_answer(connection)[0] == 408


def test_one_whose_client_goes_away_ends_quietly(server: Server) -> None:
    before, begun = len(server.requests_logged()), len(server.log())
    with server.connect() as connection:
        connection.sendall(REQUEST[:-10])
        wait_until(lambda: server.metric("stylize_in_flight") == 1)
    wait_until(lambda: len(server.requests_logged()) > before)
    line = server.requests_logged()[-1]
    assert line["status"] in (400, 499)
    assert not server.errors(since=begun)


@pytest.mark.parametrize(
    "body",
    [
        b"5\r\nabc",
        b"zz\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabcdef\r\n0\r\n\r\n",
        b"3\r\nabc\r\n0\r\nBad Trailer\r\n\r\n",
    ],
)
def test_one_in_broken_chunks_is_malformed(server: Server, body: bytes) -> None:
    head = b"POST /stylize HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    with server.connect() as connection:
        connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + body)
        connection.shutdown(1)
        problem(read_answer(connection), 400, "malformed-request")


def test_one_in_chunks_is_read_like_any_other(server: Server) -> None:
    head = b"\r\n".join(line for line in HEAD.split(b"\r\n") if not line.startswith(b"Content-Length"))
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(BODY[i : i + 99]), BODY[i : i + 99]) for i in range(0, len(BODY), 99)
    )
    with server.connect() as connection:
        connection.sendall(head + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
        assert read_answer(connection)[0] == 200


def test_one_with_too_many_bytes_in_chunks_is_refused(server: Server) -> None:
    head = b"POST /stylize HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    with server.connect() as connection:
        connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"%x\r\n%s\r\n" % (200_000, b"x" * 200_000))
        assert "100,000" in problem(read_answer(connection), 413, "body-too-large")


def test_one_that_is_announced_too_large_is_refused_unread(server: Server) -> None:
    head = b"POST /stylize HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100001\r\n\r\n"
    with server.connect() as connection:
        connection.sendall(head)
        problem(read_answer(connection), 413, "body-too-large")


def test_a_client_that_asks_first_is_told_to_go_on(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(HEAD + b"\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert read_answer(connection)[0] == 200


@pytest.mark.parametrize(
    ("request_line", "status", "slug"),
    [
        (b"nonsense\r\n\r\n", 400, "malformed-request"),
        (b"GET / HTTP/9.9\r\n\r\n", 400, "malformed-request"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400, "malformed-request"),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", 414, "uri-too-long"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431, "headers-too-large"),
    ],
)
def test_what_is_not_http_is_a_problem_too(
    server: Server, request_line: bytes, status: int, slug: str
) -> None:
    with server.connect() as connection:
        connection.sendall(request_line)
        answer = read_answer(connection)
        problem(answer, status, slug)
        assert answer[1]["x-request-id"] == json.loads(answer[2])["request_id"]
