"""A real gunicorn under open-loop load: deadlines kept, refusals fast, probes answered, Retry-After right.

    python -m benchmarks load [--real] [--seconds 20] [--load 0.5 --load 1 --load 3] [--two-keys 60]

Requests arrive at random (Poisson) at so many times the capacity, whatever becomes of those before them. Each asks
for a budget and sends X-Request-Timeout. The model paints nothing and takes the time that it is asked for; with
--real it is the real one, on the CPU. Clients and service share the machine: on a busy one everything takes longer.
Last, two keys: a batch key's overload beside another key, and that one alone; its 99th percentiles are compared.
Exit code 1: a goal was missed.
"""

import random
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import click

from benchmarks.service.clients import Answer, ask, prepared, probing
from benchmarks.service.percentiles import percentile
from benchmarks.service.two_keys import compare
from devtools.running import FAKE_APP, Server

BUDGET = 0.5
DEADLINE = 2.5
LONG_BUDGET = 6.0
"""For Retry-After, which is in whole seconds."""

QUEUE = 4
PROBE_EVERY = 0.05
REFUSED = (429, 503)

IN_TIME, REFUSED_MS, LIVE_MS, RIGHT = 0.99, 50, 20, 0.9
"""The goals: a share of those who are accepted, two 99th percentiles, and a share of Retry-After."""


def request(budget: float, timeout: float, size: int = 64) -> bytes:
    """One that asks for so many seconds of painting, and waits so many for its answer."""
    return prepared({"X-Request-Timeout": f"{timeout:g}"}, budget=f"{budget:g}", size=str(size))


def offer(server: Server, rate: float, seconds: float, generator: random.Random) -> list[Answer]:
    """Requests at so many a second, on average."""
    sent = request(BUDGET, DEADLINE)
    with ThreadPoolExecutor(200) as pool:
        answers = []
        due = time.monotonic()
        end = due + seconds
        while (due := due + generator.expovariate(rate)) < end:
            time.sleep(max(0.0, due - time.monotonic()))
            answers.append(pool.submit(ask, server.port, sent))
        return [answer.result() for answer in answers]


def retry_after(server: Server, pictures: int) -> list[tuple[float, float]]:
    """Fill the house, ask again and again: (what Retry-After said, what it really was) of each refusal."""
    sent = request(LONG_BUDGET, 120.0, 512)  # so large that the real model needs all of its budget
    with ThreadPoolExecutor(200) as pool:
        inside = [pool.submit(ask, server.port, sent, 120.0) for _ in range(QUEUE + 1)]
        time.sleep(0.5)
        refused = []
        while sum(each.done() for each in inside) < pictures:
            if server.metric("stylize_in_flight") > QUEUE:
                refused.append(ask(server.port, sent, 120.0))
            elif sum(not each.done() for each in inside) < QUEUE + 1:
                inside.append(pool.submit(ask, server.port, sent, 120.0))
            time.sleep(0.3)
        freed = sorted(answer.at for answer in (each.result() for each in inside) if answer.status == 200)
    return [
        (answer.retry_after, next(at for at in freed if at >= answer.at) - answer.at)
        for answer in refused
        if answer.status in REFUSED
    ]


def row(load: float, answers: list[Answer], probes: list[float]) -> bool:
    """Print one line of the table; whether it keeps to the goals."""
    accepted = [answer for answer in answers if answer.status not in REFUSED]
    kept = [answer for answer in accepted if answer.status == 200 and answer.seconds <= DEADLINE]
    refusals = [answer.seconds * 1000 for answer in answers if answer.status in REFUSED]
    full = sum(answer.status == 429 for answer in answers)
    share = len(kept) / max(1, len(accepted))
    live = percentile(probes, 0.99) * 1000
    print(
        f"{load:4g}x {len(answers):5d} {len(accepted):8d} {share:8.1%} "
        f"{full:5d} {len(refusals) - full:5d} {percentile(refusals, 0.5):8.1f} {percentile(refusals, 0.99):8.1f} "
        f"{live:9.1f}",
        flush=True,
    )
    # Where nobody was refused, the percentile is no number, and late for no one.
    return share >= IN_TIME and not percentile(refusals, 0.99) >= REFUSED_MS and live < LIVE_MS


@click.command(help=__doc__)
@click.option("--real", is_flag=True, help="the real model, on the CPU")
@click.option("--seconds", default=20.0, show_default=True, help="of each load")
@click.option("--load", "loads", type=float, multiple=True, default=(0.5, 1, 3), show_default=True)
@click.option("--pictures", default=4, show_default=True, help="for Retry-After; each takes 6 s")
@click.option(
    "--two-keys", default=60.0, show_default=True, help="seconds of each of the two runs; 0: no such runs"
)
@click.option("--seed", default=0, show_default=True)
def main(
    real: bool, seconds: float, loads: tuple[float, ...], pictures: int, two_keys: float, seed: int
) -> None:
    app = "service.api:create_app()" if real else FAKE_APP
    server = Server(app, STYLIZE_QUEUE_SIZE=QUEUE, STYLIZE_DEVICE="cpu", EVALUATION_SECONDS=0.02)
    with server:
        whole = statistics.median(ask(server.port, request(BUDGET, 60.0)).seconds for _ in range(3))
        print(f"a picture takes {whole:.2f} s, its deadline is {DEADLINE:g} s, {QUEUE + 1} places")
        print(" load  sent accepted  in time   429   503  refused p50, p99 ms  /livez p99 ms")
        generator = random.Random(seed)
        well = True
        for load in loads:
            with probing([(server.admin_port, "/livez")], PROBE_EVERY) as probes:
                answers = offer(server, load / whole, seconds, generator)
            well = row(load, answers, probes) and well
        told = retry_after(server, pictures)
        errors = [line for line in server.log() if line["level"] in ("error", "critical")]
    right = [abs(said - real) <= max(0.3 * real, 1.0) for said, real in told]
    off = [abs(said - real) / real for said, real in told if real >= 2.0]
    print(
        f"Retry-After of {len(told)} refusals: {sum(right)} within 30 % or the second that it is rounded to; "
        f"where there were 2 s left or more ({len(off)}), wrong by {statistics.median(off):.0%} in the middle and "
        f"{max(off):.0%} at most"
    )
    print(f"errors in the log: {len(errors)}")
    apart = two_keys == 0 or compare(two_keys, seed)
    if not well or not apart or errors or sum(right) < len(right) * RIGHT:
        print(
            f"missed: {IN_TIME:.0%} in time, refusals within {REFUSED_MS} ms and /livez within {LIVE_MS} ms (p99), "
            f"{RIGHT:.0%} of Retry-After right, no error, two keys apart"
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
