"""The client's connection below a WSGI request: its body within limits, and whether it is still there."""

import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from gunicorn.http.errors import ParseException
from werkzeug.wsgi import get_content_length, get_input_stream

from service.problems import BODY_TOO_LARGE, MALFORMED, UPLOAD_STALLED, Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PATIENCE_SECONDS = 1.0
LEAST_BYTES_PER_SECOND = 4096
"""An upload that has brought less since it began, after that patience, makes room for who waits at the door. At this
rate a picture would take minutes; one on a poor mobile network is ten times as fast."""

_SMALLEST_PIECE, _LARGEST_PIECE = 1 << 10, 1 << 16


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


class Upload:
    """The body of a request on its way in.

    gunicorn waits for a body for ever. A client that stalls, or sends one byte at a time, would keep its thread
    and its place in the queue, so both the pause and the whole are limited; and one that hardly sends
    anything can be given up for the sake of others.

    Args:
        environ: of the request.
        limit: bytes.
        stall: seconds without a byte.
        timeout: seconds for the whole.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        environ: "WSGIEnvironment",
        *,
        limit: int,
        stall: float,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environ = environ
        self._connection: socket.socket | None = environ.get("gunicorn.socket")
        self._limit = limit
        self._stall = stall
        self._timeout = timeout
        self._clock = clock
        self._began = clock()
        self._size = 0
        self._too_long = False
        self._given_up = False

    @property
    def crawls(self) -> bool:
        """Whether it has been given a chance, and next to nothing has come of it."""
        seconds = self._clock() - self._began
        return seconds > PATIENCE_SECONDS and self._size < LEAST_BYTES_PER_SECOND * seconds

    def give_up(self) -> None:
        """Read no more of it; called on another thread. What has been read is not worth anything."""
        self._given_up = True
        self._stop_reading()

    def read(self) -> bytes:
        """The whole body.

        Raises:
            Problem: too many bytes, too slow, cut short, or not what HTTP allows.
            ClientGoneError: the connection broke.
        """
        refuse_large_body(self._environ, self._limit)
        timer = threading.Timer(self._timeout, self._pass)
        timer.daemon = True
        if self._connection is not None:
            self._connection.settimeout(self._stall)
            timer.start()
        try:
            body = self._pieces()
        finally:
            timer.cancel()
            if self._connection is not None:
                self._connection.settimeout(None)
        if self._too_long:
            raise Problem(
                UPLOAD_STALLED,
                f"The upload took more than {self._timeout:g} seconds: send smaller pictures, or use "
                "a faster connection.",
            )
        declared = get_content_length(self._environ)
        if declared is not None and self._size < declared and not self._given_up:
            raise Problem(
                MALFORMED, f"The body ended after {self._size:,} of {declared:,} bytes: send it again."
            )
        return body

    def _pieces(self) -> bytes:
        stream = get_input_stream(self._environ)
        pieces: list[bytes] = []
        try:
            # A piece comes when it is whole. Growing with what there is, it never hides more than a fifth of it.
            while piece := stream.read(min(_LARGEST_PIECE, max(_SMALLEST_PIECE, self._size // 4))):
                self._size += len(piece)
                if self._size > self._limit:
                    raise Problem(
                        BODY_TOO_LARGE, f"The body has more than {self._limit:,} bytes: send fewer."
                    )
                pieces.append(piece)
        except TimeoutError:
            raise Problem(
                UPLOAD_STALLED,
                f"Nothing arrived for {self._stall:g} seconds: send the whole body without pausing.",
            ) from None
        except (ParseException, OSError) as error:
            if isinstance(error, ConnectionError):
                raise ClientGoneError from None
            if not self._too_long and not self._given_up:
                raise Problem(
                    MALFORMED, "The body is cut short, or its chunks are malformed: send it again."
                ) from None
        return b"".join(pieces)

    def _pass(self) -> None:
        self._too_long = True
        self._stop_reading()

    def _stop_reading(self) -> None:
        if self._connection is not None:
            with suppress(OSError):  # closed already
                # Wakes the reader with "end of data"; the answer can still be written.
                self._connection.shutdown(socket.SHUT_RD)


def client_gone(environ: "WSGIEnvironment") -> bool:
    """Whether the client has closed the connection, asked of the kernel without waiting and without reading.

    Bytes that it sent before, such as another request, do not hide that. A client that only closes its sending half
    counts as gone; HTTP clients do not do that.
    """
    connection: socket.socket | None = environ.get("gunicorn.socket")
    if connection is None:
        return False
    if connection.fileno() < 0:
        return True
    state = select.poll()
    state.register(connection, select.POLLRDHUP)  # of POLLHUP and POLLERR it tells in any case
    return bool(state.poll(0))
