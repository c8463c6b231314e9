"""The server of the administrative port: small, and apart from the threads that requests can fill."""

import logging
import socket
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from flask import Flask, Response

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 32
"""At once. There is a thread for each, and nobody needs as many; one more, and the oldest is closed."""

LONGEST_SECONDS = 10.0
"""That a connection may take, whatever comes on it."""


def _without_versions(response: Response) -> Response:
    response.headers["Server"] = _Handler.server_version  # else wsgiref puts Python's version there
    return response


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = (
        128  # of connections that are not accepted yet; 5 else, and the others would try for seconds
    )

    def server_bind(self) -> None:
        """Bind, without the question for the machine's name that the base class asks, which may take a minute."""
        TCPServer.server_bind(self)
        host, self.server_port = self.socket.getsockname()[:2]
        self.server_name = str(host)
        self.setup_environ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._open: OrderedDict[socket.socket, float] = OrderedDict()  # since when, the oldest first
        self._lock = threading.Lock()
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open[request] = time.monotonic()
            if len(self._open) > MOST_CONNECTIONS:
                self._cut_off(next(iter(self._open)))
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Twice a second: cut off who has been here for too long."""
        with self._lock:
            for connection, since in list(self._open.items()):
                if time.monotonic() - since > LONGEST_SECONDS:
                    self._cut_off(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that resets its connection, or is cut off, is no news; anything else is logged."""
        log.debug("a connection to the administrative port broke", exc_info=True)

    def _cut_off(self, connection: socket.socket) -> None:
        del self._open[connection]
        with suppress(OSError):  # closed already
            connection.shutdown(socket.SHUT_RDWR)  # wakes its thread, which closes it


class _ServerOfIPv6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    server_version, sys_version = "stylize", ""  # not Python's
    timeout = LONGEST_SECONDS  # a connection that says nothing must not keep its thread

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name of the base class)
        """Probes come every few seconds: nothing is logged."""


def serve_admin(app: Flask, host: str, port: int) -> WSGIServer:
    """Serve the application on threads of its own; returns at once.

    Raises:
        OSError: the address is in use or cannot be had.
    """
    app.after_request(_without_versions)
    version_6 = ":" in host
    server = make_server(host, port, app, _ServerOfIPv6 if version_6 else _Server, _Handler)
    threading.Thread(target=server.serve_forever, name="admin", daemon=True).start()
    log.info("metrics and probes at http://%s:%d", f"[{host}]" if version_6 else host, server.server_port)
    return server
