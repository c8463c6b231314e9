"""What is said before a body is sent, and addresses that proxies read in another way than servers."""

import pytest

from devtools.running import Server, read_answer, whole_request

EXPECTING = b"Expect: 100-continue\r\n"


def test_a_body_that_is_refused_is_not_asked_for(server: Server) -> None:
    with server.connect() as client:
        client.sendall(
            b"POST /stylize HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 9000\r\n"
            + EXPECTING
            + b"\r\n"
        )
        assert read_answer(client)[0] == 415


def test_a_body_that_is_wanted_is_asked_for(server: Server) -> None:
    head, _, body = whole_request().partition(b"\r\n\r\n")
    with server.connect() as client:
        client.sendall(head + b"\r\n" + EXPECTING + b"\r\n")
        leave = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert client.recv(len(leave)) == leave
        client.sendall(body)
        assert read_answer(client)[0] == 200


@pytest.mark.parametrize("path", ["//stylize", "/%73tylize", "/./stylize", "http://evil//stylize"])
def test_only_the_plain_address_paints(server: Server, path: str) -> None:
    with server.connect() as client:
        client.sendall(whole_request().replace(b"/stylize", path.encode(), 1))
        assert read_answer(client)[0] == 404


def test_the_whole_address_paints_too_as_to_a_proxy(server: Server) -> None:
    with server.connect() as client:
        client.sendall(whole_request().replace(b"/stylize", b"http://any.where/stylize", 1))
        assert read_answer(client)[0] == 200


def test_an_address_without_a_path_leads_nowhere(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"GET http://evil HTTP/1.1\r\nHost: a\r\n\r\n")
        status, headers, body = read_answer(client)
    assert status in (200, 404)
    assert "location" not in headers
    assert b"evil" not in body


@pytest.mark.parametrize("header", ["SCRIPT_NAME: /admin", "Path-Info: /x", "X-Forwarded-Prefix: /x"])
def test_headers_of_a_proxy_change_no_address(server: Server, header: str) -> None:
    with server.connect() as client:
        client.sendall(f"GET /version HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n".encode())
        assert read_answer(client)[0] == 200
