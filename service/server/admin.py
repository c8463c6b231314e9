"""The server of the administrative port: small, and apart from the threads that requests can fill."""

import logging
import socket
import threading
from socketserver import TCPServer, ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from flask import Flask, Response

log = logging.getLogger(__name__)


def _without_versions(response: Response) -> Response:
    response.headers["Server"] = _Handler.server_version  # else wsgiref puts Python's version there
    return response


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind, without the question for the machine's name that the base class asks, which may take a minute."""
        TCPServer.server_bind(self)
        host, self.server_port = self.socket.getsockname()[:2]
        self.server_name = str(host)
        self.setup_environ()


class _ServerOfIPv6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    server_version, sys_version = "stylize", ""  # not Python's
    timeout = 10  # seconds; a connection that says nothing must not keep its thread

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
