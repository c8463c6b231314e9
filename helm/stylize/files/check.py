"""One check of a running service, for `helm test`: check.py health|stylize|metrics SERVICE PORT SECONDS.

Standard library only. SECONDS: to wait for an answer. KEYS_FILE: a file of keys, the first of which is sent.
"""

import http.client
import os
import struct
import sys
import time
import zlib
from collections.abc import Callable
from contextlib import closing

PNG = b"\x89PNG\r\n\x1a\n"
BOUNDARY = "b7c1f0a2"


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def picture(side: int, stripe: int) -> bytes:
    """A square PNG with stripes, 8-bit RGB; `side` and `stripe` in px."""
    rows = (
        b"\0" + bytes(c for x in range(side) for c in (255 * ((x // stripe) % 2), 4 * y % 256, 90))
        for y in range(side)
    )
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")


def form(files: dict[str, bytes], fields: dict[str, str]) -> bytes:
    """The body of a multipart/form-data request."""
    body = b""
    for name, value in fields.items():
        body += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for name, data in files.items():
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.png"\r\n\r\n'
        body += head.encode() + data + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


def ask(service: str, port: int, seconds: float, method: str, path: str, body: bytes | None = None) -> bytes:
    """The body of a 200 that comes in so many seconds.

    It asks the address in the environment where there is one: that needs no DNS.

    Raises:
        AssertionError: another status.
        OSError: no answer.
    """
    host = os.environ.get(service.upper().replace("-", "_") + "_SERVICE_HOST", service)
    headers = {"Accept": "*/*", "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    if file := os.environ.get("KEYS_FILE"):
        with open(file) as lines:  # noqa: PTH123
            keys = [
                line.partition(":")[2].strip() for line in lines if line.strip() and line.lstrip()[0] != "#"
            ]
        headers["Authorization"] = f"Bearer {keys[0]}"
    with closing(http.client.HTTPConnection(host, port, timeout=seconds)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
    assert answer.status == 200, f"{method} {path}: {answer.status} {data[:1000]!r}"
    return data


def health(service: str, port: int, seconds: float) -> None:
    """It is ready."""
    print(ask(service, port, seconds, "GET", "/readyz").decode().strip())


def stylize(service: str, port: int, seconds: float) -> None:
    """It paints a picture of 64 px."""
    body = form(
        {"content": picture(64, 16), "style": picture(64, 3)},
        {"size": "64", "iterations": "2", "format": "png"},
    )
    painted = ask(service, port, seconds, "POST", "/stylize", body)
    assert painted.startswith(PNG), f"no PNG: {painted[:100]!r}"
    print(f"{len(painted)} bytes of PNG")


def metrics(service: str, port: int, seconds: float) -> None:
    """It says how it is doing."""
    text = ask(service, port, seconds, "GET", "/metrics").decode()
    assert "\nstylize_build_info{" in text, f"no stylize_build_info: {text[:1000]}"
    assert 'stylize_engine_state{state="ready"} 1.0' in text, "the engine is not ready"
    print(f"{len(text.splitlines())} lines of metrics")


CHECKS: dict[str, Callable[[str, int, float], None]] = {
    "health": health,
    "stylize": stylize,
    "metrics": metrics,
}


def main(check: str, service: str, port: int, seconds: float, attempts: int = 5, pause: float = 2.0) -> None:
    """Run a check; again after `pause` seconds where it fails, as routes may be seconds behind a new pod."""
    for left in reversed(range(attempts)):
        try:
            CHECKS[check](service, port, seconds)
            return
        except (AssertionError, OSError, http.client.HTTPException) as error:
            if not left:
                sys.exit(f"{check}: {error}")
            time.sleep(pause)


if __name__ == "__main__":
    _, wanted, name, number, wait = sys.argv
    main(wanted, name, int(number), float(wait))
