"""Delivered losses of each precision."""

from collections.abc import Iterator

from benchmarks.engine import delivered
from benchmarks.engine.gpu.bench import Bench
from service.style.options import Options


def precisions(bench: Bench) -> Iterator[object]:
    """A `delivered.Loss` for each."""
    scope = bench.scope
    yield from delivered.precisions(
        bench.network, bench.pairs(), Options(size=scope.size), bench.precisions, scope.seeds
    )
