"""Ceilings, and evaluations of loss and gradient against them."""

from collections.abc import Iterator
from typing import NamedTuple

import torch

from benchmarks.engine import device
from benchmarks.engine.gpu.bench import Bench
from service.style.network.precision import Precision, with_precision
from service.style.optimiser.graphs import LARGEST, Graphs

HEAD = "precision   px     GFLOP        ms  of ceiling  host ms  host part  with step ms  peak GiB"


class Evaluation(NamedTuple):
    """What an evaluation of a square picture takes.

    Attributes:
        precision: of its convolutions.
        size: px.
        cost: of it; where it was replayed, of the optimiser's step around it too.
        ceiling: operations a second of a matrix product in this precision.
    """

    precision: Precision
    size: int
    cost: device.Cost
    ceiling: float

    @property
    def recorded(self) -> bool:
        """Whether it was replayed as a CUDA graph."""
        return self.cost.replayed

    @property
    def host(self) -> float:
        """Seconds of the host, as a part of those of the device."""
        return self.cost.launch / self.cost.seconds

    def __str__(self) -> str:
        cost = self.cost
        peak = "-" if cost.peak is None else f"{cost.peak / 2**30:.2f}"
        return (
            f"{self.precision:9} {self.size:4} {cost.operations / 1e9:9.1f} {cost.seconds * 1e3:9.3f} "
            f"{cost.operations / cost.seconds / self.ceiling:11.1%} {cost.launch * 1e3:8.3f} {self.host:10.1%} "
            f"{cost.step * 1e3:13.3f} {peak:>9}"
        )


def evaluations(bench: Bench) -> Iterator[object]:
    """Ceilings, then evaluations against them."""
    scope = bench.scope
    best = device.ceilings(bench.device, scope.matrix, scope.numbers, scope.seconds)
    reached = ", ".join(f"{name} {rate / 1e12:.1f}" for name, rate in best.products.items())
    yield f"ceilings: products of side {scope.matrix} in TFLOP/s: {reached}; copy {best.copy / 1e9:.0f} GB/s"
    yield HEAD
    for precision in reversed(bench.precisions):
        yield from _of(bench, precision, best)
    if bench.device.type == "cuda":
        yield "the same as CUDA graphs, each with the optimiser's step around it:"
        graphs = Graphs(device.GRAPHS_ROOM)
        yield from _of(bench, "bf16", best, graphs)
    benchmark = "on" if torch.backends.cudnn.benchmark else "off"
    yield f"goal: 512 px in bf16 in at most 1 ms; host part below 5 %; cudnn.benchmark is {benchmark}"


def _of(
    bench: Bench, precision: Precision, best: device.Ceilings, graphs: Graphs | None = None
) -> Iterator[object]:
    network = with_precision(bench.network, precision)
    for size in bench.scope.sizes:
        if graphs is not None and size**2 > LARGEST:
            continue
        try:
            cost = device.evaluation(network, size, bench.scope.seconds, graphs)
        except torch.OutOfMemoryError:
            yield f"{precision:9} {size:4}  out of memory"
            continue
        if graphs is not None and not cost.replayed:
            yield f"{precision:9} {size:4}  could not be recorded"
            continue
        yield Evaluation(precision, size, cost, best.products[precision])
