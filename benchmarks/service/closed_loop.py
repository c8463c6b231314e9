"""Clients of the service that wait for each answer before they ask again.

Of the standard library alone: a GPU is measured where nothing is installed but the service.
"""

import http.client
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.service.percentiles import percentile

TIMEOUT = 120
"""Seconds without a byte of the answer, after which a client gives up."""


class Load(NamedTuple):
    """What came of one load.

    Attributes:
        seconds: of each answer with a picture, sorted.
        others: statuses of the other answers; 0 where there was none.
        rate: pictures a second.
        stages: seconds of each answer with a picture, as Server-Timing names and has them; and "rest", what the
            client waited beside them. In no order.
    """

    seconds: list[float]
    others: list[int]
    rate: float
    stages: Mapping[str, list[float]]

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


def server_timing(header: str) -> dict[str, float]:
    """Stage -> seconds, of a header like "queue;dur=0.1, decode;dur=12" (milliseconds).

    >>> server_timing("queue;dur=0.1, decode;dur=12")
    {'queue': 0.0001, 'decode': 0.012}
    """
    metrics = (metric.strip().partition(";dur=") for metric in header.split(","))
    return {name: float(duration) / 1000 for name, _, duration in metrics if duration}


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
    stages: defaultdict[str, list[float]] = defaultdict(list)
    began = time.perf_counter()

    def client(number: int) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
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
                timing = server_timing(answer.headers.get("Server-Timing", ""))
                timing["rest"] = took[-1] - sum(timing.values())
                for name, waited in timing.items():
                    stages[name].append(waited)
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
    return Load(sorted(took), others, len(took) / (time.perf_counter() - began), stages)
