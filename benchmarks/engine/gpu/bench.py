"""What the parts of the benchmark work on, and how much of it they do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from benchmarks.engine.methods import Pair
from benchmarks.engine.preparation import kept
from service.style.network.precision import Precision
from service.style.network.vgg import VGG

EXAMPLES = Path("examples")
PAIRS = (("chelsea", "stained-glass"), ("astronaut", "starfield-strokes"), ("rocket", "sepia-valley"))


class Scope(NamedTuple):
    """How much is measured: on a GPU, or just enough to see that all of it works.

    Attributes:
        matrix: side of the matrices whose product is timed.
        numbers: that are copied.
        sizes: of evaluations, px.
        seconds: of each measurement.
        size: of pictures whose loss counts, px.
        seeds: of each pair.
        evaluations: of plain Gatys and its twin.
        pairs: how many, of PAIRS.
        requests: their sizes, px.
        large: size of a single request, px.
        clients: at once, after a single one.
        load_seconds: of requests of each size, half of it of each number of clients.
        peaks: sizes of pictures whose memory is measured, px.
    """

    matrix: int
    numbers: int
    sizes: tuple[int, ...]
    seconds: float
    size: int
    seeds: int
    evaluations: int
    pairs: int
    requests: tuple[int, ...]
    large: int
    clients: tuple[int, ...]
    load_seconds: float
    peaks: tuple[int, ...]


FULL = Scope(
    matrix=8192,
    numbers=2**29,
    sizes=(256, 512, 1024, 2048, 4096),
    seconds=0.5,
    size=512,
    seeds=2,
    evaluations=500,
    pairs=3,
    requests=(512, 1024),
    large=4096,
    clients=(2, 4, 8),
    load_seconds=20.0,
    peaks=(512, 1024, 2048, 4096),
)
TINY = Scope(
    matrix=64,
    numbers=2**12,
    sizes=(32, 64),
    seconds=0.001,
    size=48,
    seeds=1,
    evaluations=3,
    pairs=1,
    requests=(48,),
    large=64,
    clients=(2,),
    load_seconds=0.0,
    peaks=(32, 48),
)


@dataclass(frozen=True)
class Bench:
    """What the parts work on.

    Attributes:
        scope: how much.
        network: in float32, on its device.
        backbone: what the service is to load: a name or a file.
        weights: the folder of the names.
        random: whether the weights are, so that losses mean nothing.
    """

    scope: Scope
    network: VGG
    backbone: str
    weights: Path
    random: bool = False

    @property
    def device(self) -> torch.device:
        """Of the network."""
        return self.network.device

    @property
    def precisions(self) -> tuple[Precision, ...]:
        """The first is what the others are compared with."""
        return ("fp32", "tf32", "bf16") if self.device.type == "cuda" else ("fp32", "bf16")

    def pairs(self) -> list[Pair]:
        """Pictures of the examples, as the service keeps them for results of the scope's size."""
        return [
            Pair(
                f"{photo} + {style}",
                kept(EXAMPLES / "photos" / f"{photo}.jpg", self.scope.size),
                kept(EXAMPLES / "styles" / f"{style}.jpg", self.scope.size),
            )
            for photo, style in PAIRS[: self.scope.pairs]
        ]


Part = Callable[[Bench], Iterator[object]]
"""Yields rows. The `str()` of each is its line."""
