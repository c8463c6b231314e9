"""The service in a process of its own, on free ports, for whoever wants to be its client."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

START_SECONDS = 120
STOP_SECONDS = 60


def start(log: Path, **settings: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start it and wait until it is ready.

    Args:
        log: file for what it says.
        settings: environment variables, like STYLIZE_MAX_SIZE="512".

    Returns:
        The process, and the address of its public port.
    """
    port, admin = free_port(), free_port()
    environment = {"STYLIZE_PORT": str(port), "STYLIZE_ADMIN_PORT": str(admin), **settings}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "service", "serve"],
            env={**os.environ, **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            sys.exit(f"the service ended with {server.returncode} at start: see {log}")
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/readyz", timeout=5):
            return server, url
        time.sleep(0.1)
    server.kill()
    sys.exit(f"the service was not ready after {START_SECONDS} s: see {log}")


def stop(server: subprocess.Popen[bytes], log: Path) -> None:
    """End it as Kubernetes does; exits with a sentence where it does not end well."""
    server.send_signal(signal.SIGTERM)
    code = server.wait(timeout=STOP_SECONDS)
    if code != 0:
        sys.exit(f"the service ended with {code} instead of 0: see {log}")


@contextlib.contextmanager
def running(log: Path, **settings: str) -> Iterator[str]:
    """Its address, for as long as the context lasts."""
    server, url = start(log, **settings)
    try:
        yield url
    finally:
        stop(server, log)


def free_port() -> int:
    """A port on the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
