"""Clients that are killed at any point: how soon the engine is free, and whether the counters add up.

    python -m benchmarks faults [--kills 200] [--seed 0]

It starts a real gunicorn with a model that paints nothing, slowly. The time is from the kill until /metrics shows
that the place is free, so it includes the scrape. Exit code 1: a goal was missed.
"""

import statistics
import sys

import click

from devtools.killing import ALLOWED, EVALUATION, POINTS, accounts, kill_clients, slow_server
from devtools.serving import wait_until


@click.command(help=__doc__)
@click.option("--kills", default=200, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(kills: int, seed: int) -> None:
    with slow_server() as server:
        killed = kill_clients(server, kills, seed)
        sent = kills + sum(kill.point == "queued" for kill in killed)  # which needs another client
        wait_until(lambda: accounts(server)[0] == sent)
        requests, made, delivered, discarded = accounts(server)
        errors = [line for line in server.log() if line["level"] in ("error", "critical")]
        works = server.post().status_code == 200
    print(f"one evaluation takes {EVALUATION * 1000:.0f} ms; allowed are {ALLOWED * 1000:.0f} ms")
    print(f"{'killed':16} {'clients':>7} {'p50':>7} {'p99':>7} {'worst':>7} {'too late':>9}")
    for name in POINTS:
        times = sorted(kill.seconds for kill in killed if kill.point == name)
        if times:
            p99 = times[min(len(times) - 1, round(0.99 * len(times)))]
            print(
                f"{name:16} {len(times):7d} {statistics.median(times) * 1000:4.0f} ms {p99 * 1000:4.0f} ms "
                f"{times[-1] * 1000:4.0f} ms {sum(seconds > ALLOWED for seconds in times):9d}"
            )
    print(f"requests: {sent} sent, {requests} counted")
    print(
        f"evaluations: {made} made = {delivered} delivered + {discarded} discarded: {made == delivered + discarded}"
    )
    print(f"errors in the log: {len(errors)}; the next request works: {works}")
    late = sum(kill.seconds > ALLOWED for kill in killed)
    if late or requests != sent or made != delivered + discarded or errors or not works:
        print(f"missed: every place is free within {ALLOWED * 1000:.0f} ms, everything is counted, no error")
        sys.exit(1)


if __name__ == "__main__":
    main()
