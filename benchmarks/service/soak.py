"""Many tiny requests of random sizes and options, some of which run out of memory: what the process keeps.

    python -m benchmarks soak [--requests 1000] [--faults 100] [--seed 0] [--out out/soak]

The real network on the CPU, in a real gunicorn, with one request after the other. OutOfMemoryError is raised after
the first evaluation of requests with certain seeds, in the model that this file wraps around the real one. It prints
how the resident memory of the worker grew after the first tenth of the requests, and how soon the service was ready
after each fault, and plots the memory. Exit code 1: more than is allowed.
"""

import random
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import click
import matplotlib.pyplot as plt
import torch
from flask import Flask

from devtools.running import Server
from service.api.app import create_app
from service.model.painting import PaintingModel, load_model
from service.settings.settings import load_settings
from service.style.progress import Progress, Result
from service.style.work import Work

FAULTY = 1 << 31
"""Seeds from here on run out of memory."""

ALLOWED_MB, ALLOWED_SECONDS = 100, 1.0


class Faulty(PaintingModel):
    """The real one, but for some seeds."""

    def paint(self, work: Work) -> Generator[Progress, None, Result]:
        """Paint, or run out of memory at the second evaluation."""
        steps = super().paint(work)
        if work.options.seed < FAULTY:
            return (yield from steps)
        yield next(steps)
        raise torch.OutOfMemoryError("CUDA out of memory. (injected)")


def create_faulty_app() -> Flask:
    """For gunicorn."""
    return create_app(load=lambda: Faulty(**vars(load_model(load_settings()))))


def options(generator: random.Random, *, faulty: bool) -> dict[str, Any]:
    """Of a tiny request."""
    chosen = {
        "size": generator.randrange(32, 97),
        "iterations": generator.randrange(2, 5),
        "strength": round(generator.random(), 2),
        "style_scale": generator.choice((0.5, 1, 2)),
        "pooling": generator.choice(("average", "max")),
        "init": generator.choice(("content", "noise")),
        "format": generator.choice(("png", "jpeg", "webp", "avif")),
        "seed": generator.randrange(FAULTY) + FAULTY * faulty,
    }
    return {name: str(value) for name, value in chosen.items()}


def seconds_until_ready(server: Server) -> float:
    """From now until /readyz says so."""
    began = time.monotonic()
    while server.get("/readyz").status_code != 200:
        time.sleep(0.01)
    return time.monotonic() - began


def plot(memory: list[float], faults: list[int], path: Path) -> None:
    """MB by request."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(figsize=(8, 4))
    axes.plot(memory, label="resident memory")
    axes.plot(faults, [memory[number] for number in faults], ".", label="out of memory (injected)")
    axes.set(xlabel="request", ylabel="MB", ylim=(0, None))
    axes.legend()
    figure.savefig(path, dpi=120, bbox_inches="tight")


@click.command(help=__doc__)
@click.option("--requests", "count", default=1000, show_default=True)
@click.option("--faults", default=100, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--out", default="out/soak", type=click.Path(path_type=Path), show_default=True)
def main(count: int, faults: int, seed: int, out: Path) -> None:
    generator = random.Random(seed)
    every = count // faults
    memory, faulty, ready, statuses = [], [], [], dict[int, int]()
    with Server("benchmarks.service.soak:create_faulty_app()", STYLIZE_DEVICE="cpu") as server:
        for number in range(count):
            fault = number % every == every - 1
            answer = server.post(None, **options(generator, faulty=fault))
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
            if fault:
                faulty.append(number)
                ready.append(seconds_until_ready(server))
            memory.append(server.metric("process_resident_memory_bytes") / 1e6)
        counted = server.metric("stylize_oom_total")
        inside = server.metric("stylize_in_flight")
    plot(memory, faulty, out / "memory.png")
    warm = count // 10
    growth = max(memory[warm:]) - memory[warm]
    print(f"{count} requests, of which {faults} ran out of memory: answers {statuses}")
    print(f"counted {counted:g} times out of memory; places still taken: {inside:g}")
    print(
        f"resident memory: {memory[0]:.0f} MB, after {warm} requests {memory[warm]:.0f} MB, then {memory[-1]:.0f} MB"
    )
    print(f"growth after {warm} requests: {growth:+.0f} MB at most (allowed: {ALLOWED_MB} MB)")
    print(
        f"ready again after a fault: {max(ready) * 1000:.0f} ms at most (allowed: {ALLOWED_SECONDS * 1000:.0f} ms)"
    )
    if growth >= ALLOWED_MB or max(ready) >= ALLOWED_SECONDS or inside:
        print("missed: see what is allowed")
        sys.exit(1)


if __name__ == "__main__":
    main()
