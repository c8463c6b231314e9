"""gunicorn's threaded worker, with its gaps closed.

- A client that connects and is silent, or sends half a head, or does not take its answer, or does not close after
  it, or goes on sending what nobody reads, would hold a thread for seconds or for ever, or even the loop that all
  connections depend on. Here threads are for requests whose head is there, until their answer is written; the loop
  waits for everything before and after.
- While it drains, it would let new connections wait for nothing, and reset those that it has not accepted yet.
- What is not HTTP would be answered with HTML.
"""

import errno
import json
import select
import socket
import struct
import time
import uuid
from collections import deque
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

from flask import Flask
from gunicorn import util
from gunicorn.http import errors as http
from gunicorn.workers.gthread import ThreadWorker

from service import problems as errors
from service.server.heads import MOST_BYTES, Head
from service.server.master import ignore_refused

if TYPE_CHECKING:  # the master imports this module, and must not import torch
    from service.api import Service

_KINDS = (
    (http.LimitRequestLine, errors.URI_TOO_LONG),
    (http.LimitRequestHeaders, errors.HEADERS_TOO_LARGE),
    (http.ParseException, errors.MALFORMED),
    (http.InvalidChunkSize, errors.MALFORMED),
    (http.ChunkMissingTerminator, errors.MALFORMED),
    (http.InvalidChunkExtension, errors.MALFORMED),
)


LINGER_SECONDS = 2.0
"""After the last answer on a connection, for the client to take it and close. Closed at once, while more of the
request comes, the answer would be lost (RFC 9112, section 9.6)."""

_UNREAD_SECONDS = 0.05
"""For the rest of a body that nobody wanted: one that is on its way is there by then, and the connection stays."""


class Worker(ThreadWorker):
    """Serves the public application."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lingering: deque[Any] = deque()  # connections after their last answer, the earliest first

    @property
    def service(self) -> "Service":
        """The service behind the application."""
        from service.api import service_of

        return service_of(cast(Flask, self.wsgi))

    def init_signals(self) -> None:
        """As gunicorn's; signals that the master refuses do not end the worker either."""
        super().init_signals()
        ignore_refused()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: what is inside is finished, and who is connected already is served; nobody else comes in."""
        if hasattr(self, "wsgi"):  # it may come while the application is loading
            self.service.engine.drain()
        super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool | None) -> None:
        """Begin or end to accept connections; in the end, let in who waits at the door, and close it.

        gunicorn would leave it open until the last request is answered, and whoever knocks meanwhile would wait
        in the kernel's queue only to be turned away. Those who are in that queue now may have sent their request
        already: closed on, they could not know whether it was begun, and no proxy would dare to send it again.
        """
        super().set_accept_enabled(enabled)
        if self.alive or enabled:
            return
        for listener in self.sockets:
            self._accept_waiting(listener)
            listener.close()

    def _accept_waiting(self, listener: Any) -> None:
        if listener.fileno() < 0:  # closed already
            return
        waiting = select.poll()
        waiting.register(listener, select.POLLIN)
        with suppress(OSError):  # no more file descriptors
            while waiting.poll(0):
                self.accept(listener)

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection to a thread, once the whole head of its request is there.

        gunicorn lets the thread read it, and wait for it.
        """
        conn.head = Head()
        conn.sock.setblocking(False)
        # There may be bytes of this request that came with the one before.
        if conn.parser is not None and conn.head.add(conn.parser.unreader.take_buffered()):
            super().enqueue_req(conn)
            return
        conn.timeout = time.monotonic() + self.service.settings.upload_stall
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))
        self.on_pending_socket_readable(conn, conn.sock)  # mostly it is there already

    def on_pending_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """Read on in a head."""
        try:
            piece = client.recv(MOST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if piece and not conn.head.add(piece):
            return
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        if piece:
            super().enqueue_req(conn)
        else:  # the client has closed the connection
            if bytes(conn.head):  # which there may be a key in
                self.log.debug("a client left before the end of its head")
            self.nr_conns -= 1
            conn.close()

    def _cap_keepalive(self, deadline: float) -> None:
        """While draining, wait no longer for those who have said nothing than for those who may go on."""
        super()._cap_keepalive(deadline)  # type: ignore[misc]  # newer than its type stubs
        for conn in self.pending_conns:
            conn.timeout = min(cast(float, conn.timeout), deadline)

    def handle(self, conn: Any) -> Any:
        """Answer one request; where it is the last one, leave the closing of the connection to the loop.

        gunicorn's would wait there up to 2 seconds for the client to do the same.
        """
        conn.data_ready = True
        conn.init()
        conn.sock.setblocking(True)
        self._limit_sending(conn.sock)
        if conn.head.error is None:
            conn.parser.unreader.unread(bytes(conn.head))
            keep = super().handle(conn)
        else:
            self.handle_error(None, conn.sock, conn.client, conn.head.error)
            keep = False
        if not keep:
            with suppress(OSError):  # closed already, by either side
                conn.sock.shutdown(socket.SHUT_WR)
            conn.close = partial(self._linger, conn)
        return keep

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Whether the connection can be used again: not if there is a body on its way that nobody wanted.

        gunicorn's would wait up to 5 seconds for it.
        """
        return keepalive and bool(conn.parser.finish_body(deadline=time.monotonic() + _UNREAD_SECONDS))

    def _linger(self, conn: Any, graceful: bool = False) -> None:
        """In place of the `close` of a connection whose last answer is written: the loop waits for the client's."""
        if conn.sock.fileno() < 0:
            return
        self.nr_conns += 1
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + LINGER_SECONDS
        self.lingering.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._discard, conn))

    def _discard(self, conn: Any, client: socket.socket) -> None:
        with suppress(BlockingIOError):
            try:
                more = client.recv(MOST_BYTES)
            except ConnectionError:
                more = b""
            if not more:
                self.lingering.remove(conn)
                self._end(conn)

    def murder_pending(self) -> None:
        """Close what has had its time: heads that do not end, clients that do not close."""
        super().murder_pending()
        while self.lingering and self.lingering[0].timeout <= time.monotonic():
            self._end(self.lingering.popleft())

    def _end(self, conn: Any) -> None:
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        util.close(conn.sock)

    def _limit_sending(self, client: socket.socket) -> None:
        """Give up a client that takes nothing of its answer for as long as an upload may stall."""
        seconds, fraction = divmod(self.service.settings.upload_stall, 1)
        # Of the kernel, for one piece of the answer: a timeout of Python's would be for the whole of it.
        client.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(seconds), int(fraction * 1e6))
        )

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Answer; a client that does not take it is none any more."""
        try:
            return bool(super().handle_request(req, conn))
        except BlockingIOError:  # the client has taken nothing for so long: it is as good as gone
            raise BrokenPipeError(errno.EPIPE, "the client takes no more of its answer") from None

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer what is not even HTTP."""
        from service.api import HEADERS

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
        with suppress(OSError):  # the client did not wait for it, or does not take it
            client.sendall(head.encode() + body)
