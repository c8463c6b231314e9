"""The peak of a picture's memory, as predicted and as the device counts it; the largest size that fits."""

from collections.abc import Iterator
from typing import NamedTuple

import torch

from benchmarks.engine import device
from benchmarks.engine.gpu.bench import Bench
from benchmarks.engine.memory import ALLOWED, pictures
from service.machine.free_memory import free_for_requests, free_on_gpu
from service.style.memory import prediction as memory
from service.style.network.precision import Precision, with_precision
from service.style.network.vgg import VGG
from service.style.options import Options
from service.style.transfer import stylize

EVALUATIONS = 3
"""At the full size, until all is allocated that is going to be. A GPU has the whole history from the first on."""

PRECISIONS: tuple[Precision, ...] = ("bf16", "fp32")
"""tf32 takes what fp32 does."""

LIMIT = 16384
"""Up to which the largest size is looked for, px."""

MIB = 2**20


class Peak(NamedTuple):
    """Of a square picture by the default schedule, with an artwork of its size.

    Attributes:
        precision: of the convolutions.
        size: px.
        predicted: bytes, by `service.style.memory.prediction`.
        taken: bytes; None where nobody counts them.
        scratch: bytes that a convolution of the first block takes at most beside its output; None as above.
    """

    precision: Precision
    size: int
    predicted: int
    taken: int | None
    scratch: int | None

    @property
    def ratio(self) -> float | None:
        """What was taken, of what was predicted."""
        return None if self.taken is None else self.taken / self.predicted

    @property
    def within(self) -> bool:
        """Whether the two are as near as they should be."""
        return self.ratio is not None and abs(self.ratio - 1) <= ALLOWED

    def __str__(self) -> str:
        line = f"{self.precision:9} {self.size:4} {self.predicted / MIB:9.0f} "
        if self.taken is None or self.ratio is None or self.scratch is None:
            return f"{line}{'-':>9} {'-':>6} {'-':>8}"
        verdict = "within" if self.within else "NOT within"
        return f"{line}{self.taken / MIB:9.0f} {self.ratio:6.2f} {self.scratch / MIB:8.0f}  {verdict} {ALLOWED:.0%}"


def peaks(bench: Bench) -> Iterator[object]:
    """The largest size of each precision, then peaks."""
    there = free_on_gpu() if bench.device.type == "cuda" else free_for_requests()
    if there is not None:
        sizes = [
            f"{precision} {memory.largest_square(with_precision(bench.network, precision), there, LIMIT)}"
            for precision in PRECISIONS
        ]
        yield f"largest size in {memory.amount(there)}: {', '.join(sizes)} px"
    yield "precision   px predicted     taken  ratio  scratch, MiB"
    for precision in PRECISIONS:
        network = with_precision(bench.network, precision)
        _paint(network, 64)  # what libraries take at their first call, and keep
        for size in bench.scope.peaks:
            square = (size, size)
            predicted = memory.need(network, square, [square], Options(size=size)).peak
            try:
                yield Peak(precision, size, predicted, *_measured(network, size))
            except torch.OutOfMemoryError:
                yield f"{precision:9} {size:4} {predicted / MIB:9.0f}  out of memory"


def _measured(network: VGG, size: int) -> tuple[int, int] | tuple[None, None]:
    """Bytes of a picture at its peak, and of a convolution's scratch space."""
    taken = device.peak(lambda: _paint(network, size), network.device)
    return (None, None) if taken is None else (taken, device.scratch(network, size))


def _paint(network: VGG, size: int) -> None:
    """By the default schedule, until EVALUATIONS of the full size have been made."""
    photograph, artwork = pictures(size, size)
    here = 0
    for progress in stylize(network, photograph, [artwork], Options(size=size)):
        here += max(progress.size) == size
        if here == EVALUATIONS:
            return
