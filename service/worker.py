"""gunicorn's threaded worker, with two gaps closed: it drains, and its own errors are problems too."""

import json
import socket
import uuid
from contextlib import suppress
from types import FrameType
from typing import Any

from gunicorn.http import errors as http
from gunicorn.workers.gthread import ThreadWorker

from service import errors

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

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: what is inside is finished, nothing new is begun."""
        if (app := getattr(self, "wsgi", None)) is not None:  # it may come while the application is loading
            from service.context import (
                service_of,  # the master imports this module, and must not import torch
            )

            service_of(app).engine.drain()
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

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer what is not even HTTP; gunicorn would send HTML, and no request_id."""
        kind = next((kind for error, kind in _KINDS if isinstance(exc, error)), errors.INTERNAL)
        request_id = uuid.uuid4().hex
        if kind is errors.INTERNAL:
            self.log.exception("an error outside of the application", extra={"request_id": request_id})
        else:
            self.log.warning("refused what is not HTTP: %s", exc, extra={"request_id": request_id})
        body = json.dumps(errors.Problem(kind).body(request_id)).encode()
        head = (
            f"HTTP/1.1 {kind.status} {kind.title}\r\nContent-Type: {errors.MEDIA_TYPE}\r\n"
            f"X-Request-ID: {request_id}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        with suppress(OSError):  # the client did not wait for it
            client.sendall(head.encode() + body)
