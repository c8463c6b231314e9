"""Clients of the service that wait for each answer before they ask again; of the standard library alone."""

import http.client
import threading
import time
import uuid
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.percentiles import percentile


class Load(NamedTuple):
    """What came of one load.

    Attributes:
        seconds: of each answer with a picture, sorted.
        others: statuses of the other answers; 0 where there was none.
        rate: pictures a second.
    """

    seconds: list[float]
    others: list[int]
    rate: float

    def percentile(self, share: float) -> float:
        """Of the seconds; not a number where there are none."""
        return percentile(self.seconds, share)


def form(files: Mapping[str, bytes], fields: Mapping[str, object]) -> tuple[bytes, str]:
    """A body of multipart/form-data (RFC 7578), and its Content-Type."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, data in files.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'
        parts.append(head.encode() + data + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def load(
    url: str, files: Mapping[str, bytes], *, clients: int, seconds: float, most: int, **fields: object
) -> Load:
    """Let clients POST /stylize one request after the other.

    Args:
        url: of the service.
        files: the parts with pictures.
        clients: how many at once.
        seconds: after which none asks again.
        most: answers that each waits for at most; one in any case.
        fields: the other parts; each request gets a seed of its own.
    """
    took: list[float] = []
    others: list[int] = []
    began = time.perf_counter()

    def client(number: int) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=300)
        for turn in range(most):
            body, kind = form(files, {**fields, "seed": 1000 * number + turn})
            asked = time.perf_counter()
            try:
                connection.request("POST", "/stylize", body, {"Content-Type": kind, "Accept": "image/png"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                others.append(0)
                break
            if answer.status == 200:
                took.append(time.perf_counter() - asked)
            else:
                others.append(answer.status)
            if time.perf_counter() - began >= seconds:
                break
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(sorted(took), others, len(took) / (time.perf_counter() - began))
