"""Whole requests through gunicorn: one client, then several; and where the time of one goes."""

import math
import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from benchmarks.engine import delivered
from benchmarks.engine.gpu.bench import EXAMPLES, PAIRS, Bench
from benchmarks.service import closed_loop
from benchmarks.service.percentiles import percentile
from devtools.running import RealServer
from service.style.network.precision import with_precision
from service.style.options import Options

MOST = 100
"""Answers that a client waits for at most."""

WARM = delivered.WARM + 1
"""Requests of each size that are not counted: one more than it takes to record a shape, so it was replayed too."""

PACKAGES = ("flask", "gunicorn", "pydantic", "pydantic_settings")
"""That only a service needs: without them the other parts run all the same."""

REPEATS = 3
"""Pictures that are painted to see where their time goes; the one of the median counts."""


class Requests(NamedTuple):
    """Of one size.

    Attributes:
        size: px.
        clients: at once.
        recorded: whether the service had STYLIZE_CUDA_GRAPHS.
        load: what came of it.
    """

    size: int
    clients: int
    recorded: bool
    load: closed_loop.Load

    def __str__(self) -> str:
        load = self.load
        clients = "1 client " if self.clients == 1 else f"{self.clients} clients"
        others = f"; other answers: {load.others}" if load.others else ""
        return (
            f"{self.size:4} px, {clients}: p50 {load.percentile(0.5):.3f} s, "
            f"p99 {load.percentile(0.99):.3f} s of {len(load.seconds)}, {load.rate:.2f} pictures a second{others}"
        )


class Stages(NamedTuple):
    """Where the time of the requests of one client went: p50 of each stage, and of what is in none of them.

    Attributes:
        size: px.
        seconds: by the stages' names.
    """

    size: int
    seconds: dict[str, float]

    def __str__(self) -> str:
        stages = ", ".join(f"{name} {seconds * 1e3:.1f}" for name, seconds in self.seconds.items())
        other = sum(self.seconds.values()) - self.seconds["optimise"]
        return f"{self.size:4} px, p50 in ms: {stages}; all but optimise {other * 1e3:.1f} (goal: at most 30)"


class Painting(NamedTuple):
    """Where the time of the optimisation goes.

    Attributes:
        size: px.
        recorded: whether evaluations were replayed as CUDA graphs.
        painted: what was measured.
    """

    size: int
    recorded: bool
    painted: delivered.Painted

    def __str__(self) -> str:
        painted = self.painted
        scales = ", ".join(
            f"{size} px {len(steps)} x {statistics.median(steps) * 1e3:.2f} ms"
            for size, steps in painted.steps.items()
        )
        other = painted.seconds - painted.evaluating
        return (
            f"painted in {painted.seconds:.3f} s{' as CUDA graphs' if self.recorded else ''}: {scales}; "
            f"not evaluations: {other * 1e3:.1f} ms, {other / painted.seconds:.0%}; "
            f"prepared before in {painted.preparation * 1e3:.1f} ms"
        )


def requests(bench: Bench) -> Iterator[object]:
    """In the process of the benchmark first, then through HTTP."""
    yield from _paintings(bench)
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise RuntimeError(
            f"no service starts without {', '.join(missing)}: install what pyproject.toml names"
        )
    settings = {
        "STYLIZE_DEVICE": bench.device.type,
        "STYLIZE_BACKBONE": bench.backbone,
        "STYLIZE_WEIGHTS_DIR": str(bench.weights),
        "STYLIZE_QUEUE_SIZE": str(max(bench.scope.clients)),
    }
    yield from _through_http(bench, settings, recorded=False)
    yield "the same with STYLIZE_CUDA_GRAPHS:"
    yield from _through_http(bench, settings | {"STYLIZE_CUDA_GRAPHS": "true"}, recorded=True)
    yield "goal: 512 px in a p50 of at most 0.5 s"


def _paintings(bench: Bench) -> Iterator[Painting]:
    pair, options = bench.pairs()[0], Options(size=bench.scope.size)
    for recorded, model in delivered.models_of(with_precision(bench.network, "auto")).items():
        for _ in range(delivered.WARM):
            delivered.paint(model, pair, options)
        runs = sorted(
            (delivered.paint(model, pair, options) for _ in range(REPEATS)), key=lambda run: run.seconds
        )
        yield Painting(options.size, recorded, runs[REPEATS // 2])


def _through_http(bench: Bench, settings: dict[str, str], *, recorded: bool) -> Iterator[object]:
    photo, style = PAIRS[0]
    files = {
        "content": (EXAMPLES / "photos" / f"{photo}.jpg").read_bytes(),
        "style": (EXAMPLES / "styles" / f"{style}.jpg").read_bytes(),
    }
    scope = bench.scope
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        try:
            began = time.monotonic()
            with RealServer(log, **settings) as server:
                yield f"the service is ready after {time.monotonic() - began:.1f} s"

                def load(size: int, clients: int, seconds: float, most: int = MOST) -> Requests:
                    found = closed_loop.load(
                        server.url, files, clients=clients, seconds=seconds, most=most, size=size
                    )
                    return Requests(size, clients, recorded, found)

                for size in scope.requests:
                    load(size, 1, math.inf, most=WARM)
                    row = load(size, 1, scope.load_seconds)
                    yield row
                    if size == scope.requests[0] and row.load.stages:
                        yield Stages(
                            size, {name: percentile(taken, 0.5) for name, taken in row.load.stages.items()}
                        )
                if recorded:
                    return
                yield load(scope.large, 1, 0, most=1)
                for clients in scope.clients:
                    yield load(scope.requests[0], clients, scope.load_seconds / 2)
        except SystemExit:  # it did not start, or end, as it should: its log says why
            yield log.read_text()[-2000:]
            raise
