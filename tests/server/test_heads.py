import pytest
from gunicorn.http.errors import InvalidHeader, LimitRequestHeaders

from service.server.heads import MOST_BYTES, Head

WHOLE = b"POST /stylize HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"


def test_a_head_is_done_at_its_end_however_it_comes() -> None:
    for size in (1, 2, 3, 7, len(WHOLE)):
        head = Head()
        pieces = [WHOLE[i : i + size] for i in range(0, len(WHOLE), size)]
        assert [head.add(piece) for piece in pieces] == [False] * (len(pieces) - 1) + [True]
        assert bytes(head) == WHOLE
        assert head.error is None


def test_what_came_with_it_is_kept() -> None:
    head = Head()
    assert head.add(WHOLE + b"abc\nGET / HTTP/1.1\r\n")
    assert bytes(head).endswith(b"abc\nGET / HTTP/1.1\r\n")
    assert head.error is None


def test_an_empty_line_before_it_is_not_its_end() -> None:
    head = Head()
    assert not head.add(b"\r\n")
    assert not head.add(b"GET / HTTP/1.1\r\n")
    assert head.add(b"\r\n")
    assert not Head().add(b"\r\n\r\n")


@pytest.mark.parametrize("pieces", [[b"GET / HTTP/1.1\n\n"], [b"GET / HTTP/1.1\r\nHost: a", b"\n"]])
def test_one_with_bare_line_feeds_would_never_end_and_is_refused(pieces: list[bytes]) -> None:
    head = Head()
    assert [head.add(piece) for piece in pieces][-1]
    assert isinstance(head.error, InvalidHeader)


def test_a_line_that_is_split_within_its_end_is_no_bare_line_feed() -> None:
    head = Head()
    assert not head.add(b"GET / HTTP/1.1\r")
    assert not head.add(b"\nHost: a\r")
    assert head.error is None
    assert head.add(b"\n\r\n")


def test_one_that_is_too_long_is_refused() -> None:
    head = Head()
    assert not head.add(b"GET / HTTP/1.1\r\nX: " + b"x" * (MOST_BYTES - 20))
    assert head.error is None
    assert head.add(b"xx")
    assert isinstance(head.error, LimitRequestHeaders)
