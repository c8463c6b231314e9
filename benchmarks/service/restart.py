"""Two instances behind a proxy that are restarted one after the other, and one whose worker is killed, under load.

    python -m benchmarks restart [--proxy haproxy] [--real] [--rounds 2]

HAProxy or nginx, configured as docs/run/operations.md says. Requests arrive at random (Poisson) at half of what
one instance can do, through the proxy. No request may fail while the instances are restarted. When the worker of one
is killed, those whom it served are told so at once, and the next request works. The model paints nothing and takes
its time; with --real it is the real one, on the CPU. Exit code 1: a goal was missed; 2: there is no such proxy.
"""

import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import click

from benchmarks.service.clients import BROKEN, Answer, ask, prepared
from benchmarks.service.percentiles import percentile
from devtools.proxy import ProxyMissingError, serving
from devtools.running import FAKE_APP, Server
from devtools.serving import wait_until

BUDGET = 0.3
"""Seconds of each picture."""

RATE = 0.5 / BUDGET
"""Requests a second: half of what one instance can do."""

SETTLE_SECONDS = 2.0
"""Before each restart: four times as long as the proxy takes to see that an instance is back."""

TOLD_WITHIN = 1.0
"""Seconds after the kill in which those whom it struck have to know."""


class Restart(NamedTuple):
    """How long one took, in seconds."""

    drained: float  # from SIGTERM to the end of the process
    ready: float  # from its start until /readyz


def instance(real: bool, **ports: int) -> Server:
    """Not ready yet."""
    app = "service.api:create_app()" if real else FAKE_APP
    return Server(
        app, **ports, STYLIZE_QUEUE_SIZE=20, STYLIZE_DEVICE="cpu", EVALUATION_SECONDS=0.02, EVALUATIONS=15
    )


@contextmanager
def load(port: int, generator: random.Random) -> Iterator[list[Future[Answer]]]:
    """Requests all the time; their answers, the last of which come after the block."""
    answers: list[Future[Answer]] = []
    stop = threading.Event()
    request = prepared(budget=f"{BUDGET:g}", size="64")

    def arrive() -> None:
        while not stop.wait(generator.expovariate(RATE)):
            answers.append(pool.submit(ask, port, request))

    with ThreadPoolExecutor(200) as pool:
        thread = threading.Thread(target=arrive)
        thread.start()
        try:
            yield answers
        finally:
            stop.set()
            thread.join()


def stop(instances: list[Server]) -> None:
    """All that are there by then."""
    for server in instances:
        server.__exit__()


def restart(server: Server, real: bool) -> tuple[Server, Restart]:
    """Stop it as a supervisor does, start it again on the same ports, and wait until it is ready."""
    began = time.monotonic()
    server.terminate()
    server.process.wait(60)
    stopped = time.monotonic()
    server.__exit__()
    server = instance(real, STYLIZE_PORT=server.port, STYLIZE_ADMIN_PORT=server.admin_port)
    server.__enter__()
    return server, Restart(stopped - began, time.monotonic() - stopped)


def table(name: str, answers: list[Answer]) -> bool:
    """Print one line; whether nothing failed."""
    statuses = Counter(answer.status for answer in answers)
    seconds = [answer.seconds for answer in answers if answer.status == 200]
    failed = len(answers) - statuses[200]
    others = ", ".join(
        f"{status or 'broken'}: {count}" for status, count in statuses.items() if status != 200
    )
    print(
        f"{name:16} {len(answers):5d} {failed:7d} {percentile(seconds, 0.5):8.2f} {percentile(seconds, 0.99):8.2f}"
        f"  {others}",
        flush=True,
    )
    return failed == 0


def rolling(port: int, instances: list[Server], real: bool, rounds: int, generator: random.Random) -> bool:
    """Restart them one after the other, under load."""
    took = []
    with load(port, generator) as arriving:
        for _ in range(rounds):
            for number, server in enumerate(instances):
                time.sleep(SETTLE_SECONDS)
                instances[number], seconds = restart(server, real)
                took.append(seconds)
        time.sleep(SETTLE_SECONDS)
    well = table("rolling restart", [answer.result() for answer in arriving])
    drained, ready = max(each.drained for each in took), max(each.ready for each in took)
    print(
        f"{len(took)} restarts: at most {drained:.1f} s from SIGTERM to the end, {ready:.1f} s until ready again"
    )
    return well


def kill(port: int, victim: Server, generator: random.Random) -> bool:
    """Kill the worker while it paints and others wait for it, asked directly and through the proxy."""
    direct = prepared(budget=f"{BUDGET:g}", size="64")
    with ThreadPoolExecutor(100) as pool, load(port, generator) as arriving:
        time.sleep(SETTLE_SECONDS)
        inside = [pool.submit(ask, victim.port, direct) for _ in range(4)]
        wait_until(lambda: victim.metric("stylize_in_flight") >= 4)
        killed = time.monotonic()
        victim.kill_worker()
        struck = [each.result() for each in inside]
        tried: list[Future[Answer]] = []
        while not any(each.done() and each.result().status == 200 for each in tried):
            tried.append(pool.submit(ask, port, direct))
            time.sleep(0.2)
        works = (
            min(each.result().at for each in tried if each.done() and each.result().status == 200) - killed
        )
        wait_until(victim.ready, 60)
        ready = time.monotonic() - killed
        time.sleep(SETTLE_SECONDS)
    statuses = Counter(answer.status for answer in struck)
    told = max(answer.at for answer in struck) - killed
    table("worker killed", [answer.result() for answer in arriving])
    after = ask(victim.port, direct).status
    print(
        f"{statuses[BROKEN]} of {len(struck)} inside it: connection closed, {told * 1000:.0f} ms after the kill\n"
        f"a new request through the proxy was answered after {works:.1f} s\n"
        f"the instance was ready after {ready:.1f} s; its next request: {after}"
    )
    return told < TOLD_WITHIN and after == 200


@click.command(help=__doc__)
@click.option("--proxy", default="haproxy", show_default=True, help="program: haproxy or nginx, or its path")
@click.option("--real", is_flag=True, help="the real model, on the CPU")
@click.option("--rounds", default=2, show_default=True, help="restarts of each instance")
@click.option("--seed", default=0, show_default=True)
def main(proxy: str, real: bool, rounds: int, seed: int) -> None:
    generator = random.Random(seed)
    instances: list[Server] = []
    with ExitStack() as stack:
        stack.callback(stop, instances)
        try:
            instances += [instance(real), instance(real)]
            for server in instances:
                server.__enter__()
            port = stack.enter_context(serving(proxy, [server.port for server in instances]))
        except ProxyMissingError as error:
            print(error, file=sys.stderr)
            sys.exit(2)
        print(f"{proxy}; pictures of {BUDGET:g} s, {RATE:.1f} a second, two instances")
        print(f"{'':16} {'sent':>5} {'failed':>7} {'p50 s':>8} {'p99 s':>8}")
        kept = rolling(port, instances, real, rounds, generator)
        clean = kill(port, instances[0], generator)
    if not kept:
        print("missed: no request fails in a rolling restart")
    if not clean:
        print(
            f"missed: those whom a killed worker served know within {TOLD_WITHIN:g} s, and the next request works"
        )
    sys.exit(not (kept and clean))


if __name__ == "__main__":
    main()
