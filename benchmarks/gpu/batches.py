"""Convolutions of one and of several pictures at once: what could be gained if requests were painted together."""

from collections.abc import Iterator

from benchmarks import device
from benchmarks.gpu.bench import Bench
from service.style.network.precision import with_precision


def batches(bench: Bench) -> Iterator[object]:
    """In a line."""
    network = with_precision(bench.network, "auto")
    rates = list(device.batches(network, bench.scope.size, bench.scope.batches, bench.scope.seconds))
    yield f"convolutions of evaluations a second, {bench.scope.size} px, {network.dtype}: " + ", ".join(
        f"{count} at once {rate:.0f} ({rate / rates[0][1]:.2f}x)" for count, rate in rates
    )
