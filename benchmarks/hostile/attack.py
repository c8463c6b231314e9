"""Attacks by clients without a key: what they cost, and what others get meanwhile.

    python -m benchmarks attack

It starts a real gunicorn with a model that paints nothing and decoders that files can break. Each attack is a row:
how long it took, and the slowest answer of /readyz on the public port meanwhile. After each of them a picture has
to be painted. Exit code 1: somebody else paid for one.
"""

import json
import socket
import struct
import sys
import time
import zlib
from collections.abc import Callable
from typing import NamedTuple

import click
import requests

from benchmarks.service.clients import probing
from devtools.bad_child import CRASHES, EATS, LOOPS
from devtools.running import Server, whole_request
from devtools.serving import picture, wait_until

ALLOWED = 1.0
"""Seconds that others may wait for an answer of the public port."""

# Made before anything is measured: what makes them would hold up who measures.
MANY_LAYERS = json.dumps({"content_layers": {f"conv{number:x}": 1 for number in range(300_000)}}).encode()
MANY_BRACKETS = b'{"style_weights":[' + b"[]," * 6_600_000 + b"[]]}"

IDLE = 1000
SLOW = 45


class Row(NamedTuple):
    """What an attack came to."""

    attack: str
    answer: str
    seconds: float
    others: float


def elements(server: Server) -> str:
    """F1: a colour profile whose tag of multi-process elements points 20,000 times at one place."""
    return _status(server.post_picture(_with_profile(_profile(20_000))))


def leaves(server: Server) -> str:
    """F2: files that their decoder would never be done with, from clients who leave."""
    for _ in range(4):
        with server.connect() as client:
            client.sendall(whole_request(picture() + LOOPS))
            wait_until(lambda: server.metric("stylize_in_flight") > 0)
    wait_until(lambda: server.metric("stylize_in_flight") == 0)
    return "gone"


def slow_reader(server: Server) -> str:
    """F3: clients that take next to nothing of a large file."""
    clients = []
    for _ in range(SLOW):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(("127.0.0.1", server.port))
        client.sendall(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n")
        clients.append(client)
    _for(5)
    for client in clients:
        client.close()
    return "gone"


def admin(server: Server) -> str:
    """F4: connections that stay on the administrative port."""
    clients = [socket.create_connection(("127.0.0.1", server.admin_port)) for _ in range(200)]
    status = server.admin("/livez").status_code
    for client in clients:
        client.close()
    return str(status)


def layers(server: Server) -> str:
    """F5: 300,000 names of layers that there are not."""
    return _json(server, MANY_LAYERS)


def layers_as_text(server: Server) -> str:
    """F5, in a form."""
    return _status(server.post(content_layers=",".join(f"conv{number:x}" for number in range(20_000))))


def brackets(server: Server) -> str:
    """F6: 20 MB of [], as JSON."""
    return _json(server, MANY_BRACKETS)


def idle(server: Server) -> str:
    """F7: as many silent connections as the service has room for."""
    with server.crowd(IDLE):
        return str(server.get("/readyz").status_code)


def crash(server: Server) -> str:
    """F8: a file that ends its decoder."""
    return _status(server.post_picture(picture() + CRASHES))


def memory(server: Server) -> str:
    """F9: a file that makes its decoder take 10 GB."""
    return _status(server.post_picture(picture() + EATS))


def nested(server: Server) -> str:
    """F10: layers that are nested very deeply, and half a character."""
    deep = _json(server, {"style_layers": 1000 * "["})
    half = _json(server, b'{"style_weights":"' + rb"\ud800" + b'"}')
    return f"{deep}; {half}"


def late_byte(server: Server) -> str:
    """F13: a client that leaves after a byte too many."""
    with server.connect() as client:
        client.sendall(whole_request() + b"\r\nGET / HTTP/1.1\r\n")
        wait_until(lambda: server.metric("stylize_in_flight") > 0)
    wait_until(lambda: server.metric("stylize_in_flight") == 0)
    return "gone"


ATTACKS: tuple[Callable[[Server], str], ...] = (
    elements,
    leaves,
    slow_reader,
    admin,
    layers,
    layers_as_text,
    brackets,
    idle,
    crash,
    memory,
    nested,
    late_byte,
)


def attacked(server: Server, attack: Callable[[Server], str]) -> Row:
    """Make an attack, and see what others get."""
    with probing([(server.port, "/readyz")], every=0.05) as took:
        begun = time.monotonic()
        answer = attack(server)
        seconds = time.monotonic() - begun
        assert server.post().status_code == 200, "nobody is served after it"
    return Row((attack.__doc__ or "").rstrip("."), answer, seconds, max(took, default=0.0))


@click.command()
def main() -> None:
    """Make all attacks, and write a table."""
    with Server(BREAKABLE_DECODERS=1, EVALUATIONS=20, EVALUATION_SECONDS=0.02) as server:
        rows = [attacked(server, attack) for attack in ATTACKS]
    click.echo("| attack | its answer | seconds | slowest answer to others, s |\n|---|---|---|---|")
    for row in rows:
        click.echo(f"| {row.attack} | {row.answer} | {row.seconds:.2f} | {row.others:.2f} |")
    if any(row.others > ALLOWED for row in rows):
        sys.exit(1)


def _status(answer: requests.Response) -> str:
    return f"{answer.status_code}, {len(answer.content)} bytes"


def _json(server: Server, body: object) -> str:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    address = f"http://127.0.0.1:{server.port}/stylize"
    return _status(requests.post(address, data, headers={"Content-Type": "application/json"}, timeout=120))


def _for(seconds: float) -> None:
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end, 2 * seconds)


def _profile(count: int) -> bytes:
    """A profile of an sRGB-like monitor whose D2B1 tag has so many elements, all one place of the file."""
    head = b"mpet" + bytes(4) + struct.pack(">HHI", 3, 3, count)
    matrix = b"matf" + bytes(4) + struct.pack(">HH12f", 3, 3, 0.5, 0, 0, 0, 0.5, 0, 0, 0, 0.5, 0, 0, 0)
    tags = {b"D2B1": head + struct.pack(">II", len(head) + 8 * count, len(matrix)) * count + matrix}
    columns = {b"r": (0.4361, 0.2225, 0.0139), b"g": (0.3851, 0.7169, 0.0971), b"b": (0.1431, 0.0606, 0.7141)}
    for name, xyz in columns.items():
        tags[name + b"XYZ"] = b"XYZ " + bytes(4) + _fixed(xyz)
        tags[name + b"TRC"] = b"curv" + bytes(4) + struct.pack(">IHxx", 1, 563)
    tags[b"wtpt"] = b"XYZ " + bytes(4) + _fixed((0.9642, 1, 0.8249))
    start, table, data = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        table += name + struct.pack(">II", start + len(data), len(body))
        data += body
    header = struct.pack(">I4sI4s4s4s", start + len(data), bytes(4), 0x04200000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed((0.9642, 1, 0.8249))
    return header.ljust(128, b"\0") + table + data


def _fixed(numbers: tuple[float, ...]) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def _with_profile(profile: bytes) -> bytes:
    """A small PNG with it."""
    data = picture(64, 64)
    body = b"iCCPx\0\0" + zlib.compress(profile, 9)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:33] + chunk + data[33:]  # after the header


if __name__ == "__main__":
    main()
