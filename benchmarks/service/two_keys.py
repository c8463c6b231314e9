"""Two keys of one service: what a batch key's overload costs the other one."""

import random
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.service.clients import Answer, ask, prepared
from benchmarks.service.percentiles import percentile
from devtools.running import FAKE_APP, Server

PAINTING = 0.2
"""Seconds of a picture."""

USUAL, BATCH = 0.6, 3.0
"""The loads, in times of what the engine can do."""

QUEUE = 31
MOST = 1.2
"""The goal: the usual key's 99th percentile beside the batch key, over what it is alone."""

_KEYS = {"usual": "u" * 32, "nightly": "n" * 32}


def compare(seconds: float, seed: int) -> bool:
    """Print the usual key's percentiles alone and beside the other; whether the goal is met.

    The same arrivals are offered both times. A picture cannot be interrupted, so each request waits for what is left
    of the batch picture that is being painted: at most one picture's time, and half of it on average.

    Args:
        seconds: of each of the two runs.
        seed: of the arrivals.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "keys"
        file.write_text(f"usual:{_KEYS['usual']}\nnightly:{_KEYS['nightly']} batch\n")
        with Server(
            FAKE_APP,
            STYLIZE_QUEUE_SIZE=QUEUE,
            STYLIZE_API_KEYS_FILE=file,
            EVALUATIONS=10,
            EVALUATION_SECONDS=PAINTING / 10,
        ) as server:
            whole = min(ask(server.port, _request("usual")).seconds for _ in range(5))
            alone = _offer(server, {"usual": USUAL / whole}, seconds, seed)["usual"]
            both = _offer(server, {"usual": USUAL / whole, "nightly": BATCH / whole}, seconds, seed)
    print(f"two keys, a picture takes {whole:.2f} s, {QUEUE + 1} places, {USUAL:g}x usual, {BATCH:g}x batch")
    print("                sent painted  429 other  p50 s  p99 s")
    for title, answers in (
        ("usual alone", alone),
        ("usual beside", both["usual"]),
        ("batch", both["nightly"]),
    ):
        painted = [answer.seconds for answer in answers if answer.status == 200]
        refused = sum(answer.status == 429 for answer in answers)
        print(
            f"{title:14} {len(answers):5d} {len(painted):7d} {refused:4d} {len(answers) - len(painted) - refused:5d} "
            f"{percentile(painted, 0.5):6.2f} {percentile(painted, 0.99):6.2f}"
        )
    ratio = _p99(both["usual"]) / _p99(alone)
    print(
        f"the usual key's p99 beside the batch key: {ratio:.2f} of what it is alone (goal: at most {MOST:g})"
    )
    served = all(answer.status == 200 for answer in (*alone, *both["usual"]))
    return served and ratio <= MOST


def _p99(answers: list[Answer]) -> float:
    return percentile([answer.seconds for answer in answers if answer.status == 200], 0.99)


def _request(name: str) -> bytes:
    return prepared({"Authorization": f"Bearer {_KEYS[name]}"}, size="64")


def _offer(server: Server, rates: dict[str, float], seconds: float, seed: int) -> dict[str, list[Answer]]:
    """Requests of each key at so many a second on average, each key's arrivals by themselves."""
    arrivals = []
    for name, rate in rates.items():
        generator = random.Random(f"{seed} {name}")
        at = 0.0
        while (at := at + generator.expovariate(rate)) < seconds:
            arrivals.append((at, name))
    began = time.monotonic()
    sent: dict[str, list[Future[Answer]]] = {name: [] for name in rates}
    with ThreadPoolExecutor(200) as pool:
        for at, name in sorted(arrivals):
            time.sleep(max(0.0, began + at - time.monotonic()))
            sent[name].append(pool.submit(ask, server.port, _request(name), 120.0))
        return {name: [answer.result() for answer in answers] for name, answers in sent.items()}
