"""The client's connection below a WSGI request: its body within limits, and whether it is still there."""

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from gunicorn.http.errors import ParseException
from werkzeug.wsgi import get_content_length, get_input_stream

from service.errors import BODY_TOO_LARGE, MALFORMED, UPLOAD_STALLED, Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_PIECE = 1 << 16


class ClientGoneError(Exception):
    """The client closed the connection; nobody is left to answer."""


def refuse_large_body(environ: "WSGIEnvironment", limit: int) -> None:
    """Judge the body by its declared length, before anything of it is read.

    Raises:
        Problem: it has more than `limit` bytes.
    """
    declared = get_content_length(environ)
    if declared is not None and declared > limit:
        raise Problem(BODY_TOO_LARGE, f"The body has {declared:,} bytes: send at most {limit:,}.")


def read_body(environ: "WSGIEnvironment", *, limit: int, stall: float, timeout: float) -> bytes:
    """The whole body.

    gunicorn waits for a body for ever. A client that stalls, or sends one byte at a time, would keep its thread
    and its place in the queue, so both the pause and the whole are limited.

    Args:
        environ: of the request.
        limit: bytes.
        stall: seconds without a byte.
        timeout: seconds for the whole.

    Raises:
        Problem: too many bytes, too slow, cut short, or not what HTTP allows.
        ClientGoneError: the connection broke.
    """
    refuse_large_body(environ, limit)
    stream = get_input_stream(environ)
    pieces: list[bytes] = []
    size = 0
    with _Deadline(environ.get("gunicorn.socket"), stall, timeout) as deadline:
        try:
            while piece := stream.read(_PIECE):
                size += len(piece)
                if size > limit:
                    raise Problem(BODY_TOO_LARGE, f"The body has more than {limit:,} bytes: send fewer.")
                pieces.append(piece)
        except TimeoutError:
            raise Problem(
                UPLOAD_STALLED, f"No byte came for {stall:g} seconds: send the whole body without pausing."
            ) from None
        except (ParseException, OSError) as error:
            if isinstance(error, ConnectionError):
                raise ClientGoneError from None
            if not deadline.passed:
                raise Problem(MALFORMED, "The body is cut short or wrongly chunked: send it again.") from None
    if deadline.passed:
        raise Problem(
            UPLOAD_STALLED,
            f"The upload took more than {timeout:g} seconds: send smaller pictures, or faster.",
        )
    declared = get_content_length(environ)
    if declared is not None and size < declared:
        raise Problem(MALFORMED, f"The body ended after {size:,} of {declared:,} bytes: send it again.")
    return b"".join(pieces)


def client_gone(environ: "WSGIEnvironment") -> bool:
    """Whether the client has closed the connection, looked up without waiting and without reading.

    A client that only closes its sending half counts as gone; HTTP clients do not do that.
    """
    connection: socket.socket | None = environ.get("gunicorn.socket")
    if connection is None:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False  # nothing to read: it waits for the answer
    except OSError:
        return True


class _Deadline:
    """Ends the reading of a socket after a pause (TimeoutError) or in all (end of data, and `passed`)."""

    def __init__(self, connection: socket.socket | None, stall: float, timeout: float) -> None:
        self.passed = False
        self._connection = connection
        self._stall = stall
        self._timer = threading.Timer(timeout, self._pass)
        self._timer.daemon = True

    def __enter__(self) -> "_Deadline":
        if self._connection is not None:
            self._connection.settimeout(self._stall)
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._connection is not None:
            self._connection.settimeout(None)

    def _pass(self) -> None:
        self.passed = True
        if self._connection is not None:
            with suppress(OSError):  # closed already
                # Wakes the reader with "end of data"; the answer can still be written.
                self._connection.shutdown(socket.SHUT_RD)
