"""Delivered losses of each precision."""

from collections.abc import Iterator

from benchmarks import delivered
from benchmarks.gpu.bench import Bench
from service.style.options import Options


def precisions(bench: Bench) -> Iterator[object]:
    """A `delivered.Loss` for each. Where there is no tf32, it is imitated."""
    scope = bench.scope
    names: list[delivered.Arithmetic] = [*bench.precisions]
    if "tf32" not in names:
        names.append("tf32, imitated")
    yield from delivered.precisions(
        bench.network, bench.pairs(), Options(size=scope.size), names, scope.seeds
    )
