"""Time to the delivered loss of plain Gatys, and of its twin."""

from collections.abc import Iterator

from benchmarks.engine import delivered
from benchmarks.engine.gpu.bench import Bench
from service.style.options import Options


def race(bench: Bench) -> Iterator[object]:
    """A `delivered.Reached` for each of the two, on a GPU a second one with CUDA graphs."""
    scope = bench.scope
    yield f"{scope.evaluations} evaluations in fp32 at {scope.size} px, and what the service needs for their losses:"
    yield from delivered.race(bench.network, bench.pairs()[0], Options(size=scope.size), scope.evaluations)
    yield "goal: plain's loss in at most 1/200 of its time"
