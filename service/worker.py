"""gunicorn's threaded worker, with its gaps closed.

- A client that connects and is silent, or sends half a head, or does not take its answer, or does not close after
  it, would hold a thread for seconds or for ever, or even the loop that all connections depend on.
- While it drains, it would let new connections wait for nothing.
- What is not HTTP would be answered with HTML.
"""

import errno
import json
import socket
import struct
import threading
import time
import uuid
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

from flask import Flask
from gunicorn import util
from gunicorn.http import errors as http
from gunicorn.workers.gthread import ThreadWorker

from service import errors
from service.security import HEADERS

if TYPE_CHECKING:  # the master imports this module, and must not import torch
    from service.context import Service

_KINDS = (
    (http.LimitRequestLine, errors.URI_TOO_LONG),
    (http.LimitRequestHeaders, errors.HEADERS_TOO_LARGE),
    (http.ParseException, errors.MALFORMED),
    (http.InvalidChunkSize, errors.MALFORMED),
    (http.ChunkMissingTerminator, errors.MALFORMED),
    (http.InvalidChunkExtension, errors.MALFORMED),
)


class Worker(ThreadWorker):
    """Serves the public application."""

    @property
    def service(self) -> "Service":
        """The service behind the application."""
        from service.context import service_of

        return service_of(cast(Flask, self.wsgi))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: what is inside is finished, nothing new is begun."""
        if hasattr(self, "wsgi"):  # it may come while the application is loading
            self.service.engine.drain()
        super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool | None) -> None:
        """Begin or end to accept connections; in the end, close the door.

        gunicorn would leave it open until the last request is answered, and whoever knocks meanwhile would wait
        in the kernel's queue only to be turned away.
        """
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                listener.close()

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection to a thread, once there is something to read; gunicorn lets the thread wait for it."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + self.service.settings.upload_stall
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _cap_keepalive(self, deadline: float) -> None:
        """While draining, wait no longer for those who have said nothing than for those who may go on."""
        super()._cap_keepalive(deadline)  # type: ignore[misc]  # newer than its type stubs
        for conn in self.pending_conns:
            conn.timeout = min(cast(float, conn.timeout), deadline)

    def handle(self, conn: Any) -> Any:
        """Answer one request, and close the connection here where it is the last one.

        gunicorn closes it on the thread of the loop, and waits there up to 2 seconds for the client to do the same.
        """
        self._limit_head(conn)
        try:
            keep = super().handle(conn)
        finally:
            conn.head_limit.cancel()
        if not keep:
            util.close_graceful(conn.sock)
            conn.close = _closed_already
        return keep

    def handle_request(self, req: Any, conn: Any) -> bool:
        """The head has been read: the body has limits of its own, and so has the taking of the answer."""
        conn.head_limit.cancel()
        stall = self.service.settings.upload_stall
        seconds, fraction = divmod(stall, 1)
        # Of the kernel, for one piece of the answer: a timeout of Python's would be for the whole of it.
        conn.sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(seconds), int(fraction * 1e6))
        )
        try:
            return bool(super().handle_request(req, conn))
        except BlockingIOError:  # the client has taken nothing for so long: it is as good as gone
            raise BrokenPipeError(errno.EPIPE, "the client takes no more of its answer") from None

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer what is not even HTTP."""
        kind = next((kind for error, kind in _KINDS if isinstance(exc, error)), errors.INTERNAL)
        request_id = uuid.uuid4().hex
        if kind is errors.INTERNAL:
            self.log.exception("an error outside of the application", extra={"request_id": request_id})
        else:
            # Its kind only: the message quotes the head, and there may be a key in it.
            name = type(exc).__name__
            self.log.warning("refused what is not HTTP: %s", name, extra={"request_id": request_id})
        self.service.metrics.not_http(kind)
        body = json.dumps(errors.Problem(kind).body(request_id)).encode()
        security = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
        head = (
            f"HTTP/1.1 {kind.status} {kind.title}\r\nContent-Type: {errors.MEDIA_TYPE}\r\n"
            f"X-Request-ID: {request_id}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{security}\r\n"
        )
        with suppress(OSError):  # the client did not wait for it
            client.sendall(head.encode() + body)

    def _limit_head(self, conn: Any) -> None:
        """End the reading of a head that takes too long, even one that comes byte by byte."""
        conn.head_limit = threading.Timer(self.service.settings.upload_stall, _stop_reading, (conn.sock,))
        conn.head_limit.daemon = True
        conn.head_limit.start()


def _stop_reading(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)


def _closed_already(graceful: bool = False) -> None:
    """In place of the `close` of a connection that its thread has closed."""
