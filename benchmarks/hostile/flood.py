"""Mutated files of every format, and files with mutated colour profiles, POSTed beside an honest client.

    python -m benchmarks flood [--files 10000] [--senders 1] [--seed 0]

It starts a real gunicorn with a model that paints nothing and a deadline of 5 s. An honest client sends one picture
after the other, first alone, then beside those who send mutated files as photograph or as artwork. It prints what
the files came to, the slowest answer, the honest client's p50 and p99 alone and beside them, and the resident memory
of the process with the network after a tenth of the files and after all. Exit code 1: an answer that is neither a
picture nor a refusal of status 4xx, one later than the deadline, p99 over twice that of the honest client alone, or
memory that grew by more than 50 MB.
"""

import io
import itertools
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import requests
from PIL import Image

from benchmarks.service.percentiles import percentile
from devtools.mutations import KINDS, changed, mutated
from devtools.running import Server
from devtools.serving import picture
from service.images.colour import srgb_profile

DEADLINE = 5.0
ALONE = 300
"""Requests of the honest client before anybody else comes."""

MOST_TIMES, MOST_BYTES = 2.0, 50 << 20
PROFILE = "profile"


def profiled(generator: random.Random) -> bytes:
    """A PNG with a colour profile of which some bytes are changed."""
    buffer = io.BytesIO()
    profile = changed(srgb_profile(), generator)
    Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(buffer, "PNG", icc_profile=profile)
    return buffer.getvalue()


def file(number: int, seed: int) -> tuple[str, bytes]:
    """A file with its kind."""
    generator = random.Random(f"{seed}/{number}")
    kind = (*KINDS, PROFILE)[number % (len(KINDS) + 1)]
    return kind, profiled(generator) if kind == PROFILE else mutated(kind, generator)


def resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS"))


def post(session: requests.Session, url: str, content: bytes, style: bytes) -> tuple[int, float]:
    """Status and seconds of one answer."""
    begun = time.monotonic()
    files = {"content": ("a", content), "style": ("b", style)}
    status = session.post(url, files=files, timeout=60).status_code
    return status, time.monotonic() - begun


def honest(url: str, ended: Iterator[bool]) -> list[float]:
    """Seconds of each picture, until it has ended."""
    content, style = picture(), picture(color="orange")
    took = []
    with requests.Session() as session:
        for _ in itertools.takewhile(lambda done: not done, ended):
            status, seconds = post(session, url, content, style)
            took.append(seconds if status == 200 else float("inf"))
    return took


@click.command()
@click.option("--files", "count", default=10_000, show_default=True)
@click.option("--senders", default=1, show_default=True, help="who send them, each one after the other")
@click.option("--seed", default=0, show_default=True)
def main(count: int, senders: int, seed: int) -> None:
    """Send all files, and write what came of them."""
    answers: Counter[tuple[str, int]] = Counter()
    memory: list[int] = []
    slowest = 0.0
    good = picture()
    with (
        Server(STYLIZE_DEADLINE=DEADLINE, STYLIZE_QUEUE_SIZE=20) as server,
        ThreadPoolExecutor(1) as pool,
        requests.Session() as session,
    ):
        url = f"http://127.0.0.1:{server.port}/stylize"
        worker = server.worker()
        alone = honest(url, iter(ALONE * [False]))

        def send(number: int) -> tuple[str, int, float]:
            kind, data = file(number, seed)
            pictures = (data, good) if number % 2 else (good, data)
            return kind, *post(session, url, *pictures)

        over = threading.Event()
        beside = pool.submit(honest, url, iter(over.is_set, None))
        with ThreadPoolExecutor(senders) as sending:
            for number, (kind, status, seconds) in enumerate(sending.map(send, range(count)), 1):
                answers[kind, status] += 1
                slowest = max(slowest, seconds)
                if number in (max(1, count // 10), count):
                    memory.append(resident(worker))
        over.set()
        others = beside.result()
        lived = server.worker() == worker
    click.echo("| files | status | answers |\n|---|---|---|")
    for (kind, status), number in sorted(answers.items()):
        click.echo(f"| {kind} | {status} | {number} |")
    times = percentile(others, 0.99) / percentile(alone, 0.99)
    grown = memory[-1] - memory[0]
    click.echo(f"\nslowest answer: {slowest:.2f} s; the same process to the end: {'yes' if lived else 'NO'}")
    for name, took in (("alone", alone), ("beside them", others)):
        p50, p99 = (1000 * percentile(took, share) for share in (0.5, 0.99))
        click.echo(f"honest client {name}: {len(took)} pictures, p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    click.echo(f"p99 beside them / alone: {times:.2f}; memory grew by {grown / (1 << 20):.1f} MiB")
    wrong = any(status != 200 and not 400 <= status < 500 for _, status in answers)
    if wrong or not lived or slowest > DEADLINE or times > MOST_TIMES or grown > MOST_BYTES:
        sys.exit(1)


if __name__ == "__main__":
    main()
