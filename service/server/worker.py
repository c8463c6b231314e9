"""gunicorn's threaded worker, with its gaps closed.

- A client that connects and is silent, or sends half a head, or does not take its answer, or does not close after
  it, or goes on sending what nobody reads, would hold a thread for seconds or for ever, or even the loop that all
  connections depend on. Here threads are for requests whose head is there, until their answer is written; the loop
  waits for everything before and after.
- Idle connections would fill the house: where it is full, the oldest of them makes room. Where there are no file
  descriptors left, the loop would end.
- While it drains, it would let new connections wait for nothing, and reset those that it has not accepted yet.
- What is not HTTP would be answered with HTML.
"""

import errno
import json
import os
import select
import socket
import time
import uuid
from collections import deque
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

from flask import Flask
from gunicorn import util
from gunicorn.http import errors as http
from gunicorn.workers.gthread import TConn, ThreadWorker

from service import problems as errors
from service.server.heads import MOST_BYTES, Head
from service.server.master import ignore_refused
from service.server.sending import MOST_UNSENT_BYTES, Outgoing, TooSlowError

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


_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_NOBODY = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED)

LINGER_SECONDS = 2.0
"""After the last answer on a connection, for the client to take it and close. Closed at once, while more of the
request comes, the answer would be lost (RFC 9112, section 9.6)."""

_UNREAD_SECONDS = 0.05
"""For the rest of a body that nobody wanted: one that is on its way is there by then, and the connection stays."""


class _Expected:
    """A body that its client sends once it is told to go on (RFC 9110, section 10.1.1)."""

    def __init__(self, body: Any, client: socket.socket) -> None:
        self._body = body
        self._client: socket.socket | None = client

    def __getattr__(self, name: str) -> Any:  # read, readline, ...
        if self._client is not None:
            self._client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._client = None
        return getattr(self._body, name)


class Worker(ThreadWorker):
    """Serves the public application."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sending: deque[Any] = deque()  # connections whose client has not taken all of an answer
        self.lingering: deque[Any] = deque()  # connections after their last answer, the earliest first
        self._spare = os.open(os.devnull, os.O_RDONLY)  # a descriptor for who comes when there is none

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
        while waiting.poll(0):
            self.accept(listener)

    def wait_for_and_dispatch_events(self, timeout: float | None) -> None:
        """Wait for something to happen, and answer it; where the house is full then, make room for who comes next.

        Of the connections that something happened on, one may have been closed meanwhile, to make room for another:
        gunicorn would read from it all the same, and the whole process would end with EBADF. And where the last one
        that was let in filled the house while all were busy, nobody would be let in until one of them, idle by now,
        had been so for as long as connections are kept.
        """
        for key, _ in self.poller.select(timeout):
            if isinstance(key.fileobj, int) or key.fileobj.fileno() >= 0:
                key.data(key.fileobj)
        if self.nr_conns >= self.worker_connections:
            self._make_room()

    def accept(self, listener: Any) -> None:
        """Let in who knocks; where there are no descriptors, whoever has been idle for longest makes room."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in _NO_ROOM and not self._make_room():
                self._turn_away(listener)  # the kernel would announce it again and again
            elif error.errno not in _NO_ROOM + _NOBODY:
                raise
            return
        self.nr_conns += 1
        sock = Outgoing(fileno=client.detach())
        sock.patience = self.service.settings.upload_stall
        # The kernel would take megabytes for each client that takes nothing.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MOST_UNSENT_BYTES)
        self.enqueue_req(TConn(self.cfg, sock, address, listener.getsockname()))

    def _make_room(self) -> bool:
        """Close the oldest of the connections that no thread works for; returns whether there was one."""
        for idle in (self.lingering, self.pending_conns, self.keepalived_conns, self.sending):
            if idle:
                self._end(idle.popleft())
                return True
        return False

    def _turn_away(self, listener: Any) -> None:
        """Accept a connection and close it, with the descriptor that is kept for that."""
        os.close(self._spare)
        with suppress(OSError):
            client, _ = listener.accept()
            client.close()
        self._spare = os.open(os.devnull, os.O_RDONLY)

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
        if conn.head.error is None:
            conn.parser.unreader.unread(bytes(conn.head))
            keep = super().handle(conn)
        else:
            self.handle_error(None, conn.sock, conn.client, conn.head.error)
            keep = False
        if not keep:
            conn.close = partial(self._linger, conn)
        return keep

    def finish_request(self, conn: Any, fs: Any) -> None:
        """After a thread has made an answer: wait until its client has taken all of it, and go on."""
        if not conn.sock.unfinished:
            super().finish_request(conn, fs)
            return
        conn.sock.setblocking(False)
        self.sending.append(conn)
        self.poller.register(conn.sock, EVENT_WRITE, partial(self._send_rest, conn, fs))

    def _send_rest(self, conn: Any, fs: Any, client: Outgoing) -> None:
        try:
            if not client.send_rest():
                return
        except OSError:
            self.sending.remove(conn)
            self._end(conn)
            return
        self.poller.unregister(client)
        self.sending.remove(conn)
        super().finish_request(conn, fs)

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Whether the connection can be used again: not if there is a body on its way that nobody wanted.

        gunicorn's would wait up to 5 seconds for it.
        """
        return keepalive and bool(conn.parser.finish_body(deadline=time.monotonic() + _UNREAD_SECONDS))

    def _linger(self, conn: Any, graceful: bool = False) -> None:
        """In place of the `close` of a connection whose last answer is written: the loop waits for the client's."""
        if conn.sock.fileno() < 0:
            return
        with suppress(OSError):  # closed already, by the client
            conn.sock.shutdown(socket.SHUT_WR)
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
        """Close what has had its time: heads that do not end, answers that nobody takes, clients that stay."""
        super().murder_pending()
        for conn in list(self.sending):
            try:
                conn.sock.check_pace()
            except TooSlowError:
                self.sending.remove(conn)
                self._end(conn)
        while self.lingering and self.lingering[0].timeout <= time.monotonic():
            self._end(self.lingering.popleft())

    def _end(self, conn: Any) -> None:
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        if conn.sock.unfinished:
            self.service.metrics.cut_short.inc()
            conn.sock.forget()
        util.close(conn.sock)

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Answer; a client that waits for leave to send its body gets it when somebody reads that, and not before.

        gunicorn would give it at once, and the body would come that 401, 413, 415 or 429 should have saved.
        """
        body = req.body
        if req._expected_100_continue:
            req._expected_100_continue = False
            req.body = _Expected(body, conn.sock)
        try:
            return bool(super().handle_request(req, conn))
        finally:
            req.body = body

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
