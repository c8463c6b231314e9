"""Coarse to fine: at which sizes the picture is optimised, and for how many evaluations or how long.

Large shapes settle at a quarter of the size, where an evaluation costs a sixteenth; the finest scale then paints
only what is new there. The picture is cleaner, its strokes are larger and hang together better, than
that of a run at the full size alone, for fewer seconds (docs/develop/algorithm.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.style.options import Options

COARSEST = 64
"""Longest side, in pixels, of the coarsest scale; the others are this times a power of two, and the result's own."""

COARSEST_SHORT_SIDE = 32
"""Shortest side, in pixels, below which the deepest tap is left with a row or two."""

LAST_STEP = 2**0.5
"""How much larger than the scale before it the result has to be: less would not be worth an extra scale."""

EVALUATIONS = 30
"""The default schedule, of every scale: 64x30, 128x30, 256x30 for 256 px. It is the same whatever the result's size,
so a preview is what a larger result looked like on its way."""

EVALUATIONS_NOISE = 500
"""From white noise there is one scale, and this is what the field usually gives it."""


@dataclass(frozen=True)
class Stage:
    """One scale.

    Attributes:
        longest: longest side of the picture, in pixels.
        evaluations: at most so many; None: as many as fit into the time.
        share: this stage's part of the whole time, 0..1.
    """

    longest: int
    evaluations: int | None
    share: float


def scales(height: int, width: int, init: str) -> list[int]:
    """Longest sides from the coarsest scale to that of the result.

    They do not depend on the result's size but for the last one, so that results of all sizes begin alike. From
    white noise there is only the last.

    >>> scales(192, 256, "content"), scales(300, 400, "content"), scales(192, 256, "noise")
    ([64, 128, 256], [64, 128, 256, 400], [256])
    """
    longest, shortest = max(height, width), min(height, width)
    coarser = []
    size = COARSEST
    while init != "noise" and size * LAST_STEP <= longest:
        if shortest * size >= COARSEST_SHORT_SIDE * longest:
            coarser.append(size)
        size *= 2
    return [*coarser, longest]


def plan(height: int, width: int, options: Options, cost: Callable[[int], float] = float) -> list[Stage]:
    """The stages of a request whose result is height x width, coarse to fine.

    Args:
        height: of the result, pixels.
        width: of the result, pixels.
        options: iterations, budget and init count here.
        cost: pixels -> seconds of an evaluation, in any unit; only the ratios count.

    Fewer `iterations` than the default schedule has are handed out in its proportions, more go to the finest
    scale: what a coarse one still gains after EVALUATIONS is lost again at the next. With a budget alone the finest
    scale is open-ended, and the time is shared in the proportions of the default schedule.
    """
    sizes = scales(height, width, options.init)
    usual = [EVALUATIONS_NOISE if options.init == "noise" else EVALUATIONS] * len(sizes)
    counts: Sequence[int | None] = usual
    if options.iterations is not None:
        counts = _apportion(options.iterations, usual)
    elif options.budget is not None:
        counts = [*usual[:-1], None]
    work = [
        (usually if count is None else count) * cost(round(height * width * (size / sizes[-1]) ** 2))
        for count, usually, size in zip(counts, usual, sizes, strict=True)
    ]
    return [
        Stage(size, count, part / sum(work))
        for size, count, part in zip(sizes, counts, work, strict=True)
        if count != 0
    ]


def _apportion(total: int, usual: Sequence[int]) -> list[int]:
    """Split a whole number in the proportions of `usual`, none but the last above it."""
    parts = [min(count, total * count // sum(usual)) for count in usual[:-1]]
    return [*parts, total - sum(parts)]
