"""Shapes that requests are likely to have, painted before the first of them comes.

On a GPU the first evaluation of a shape takes longer than all others: libraries choose their kernels for it, the
driver loads those, and with STYLIZE_CUDA_GRAPHS it is recorded. On a CPU there is nothing of that kind
(docs/develop/measurements.md).
"""

from collections.abc import Callable, Generator
from contextlib import closing, suppress

import torch

from service.style import Options, Progress, Result, Size, Work, fit
from service.style.memory import DoesNotFitError
from service.style.schedule import scales

RATIOS = ((4, 3), (3, 4), (3, 2), (2, 3), (1, 1), (16, 9), (9, 16))
"""Width to height, the most usual first: phones, cameras, squares, frames of videos; there may not be the time for
all. At 512 px the recordings (`graphs`) of all their scales take some 2 GiB; if there is less, the first ones go."""

SECONDS = 5.0
"""After which no further evaluation is begun: whoever waits for the service to be ready waits for this too."""

EVALUATIONS = 3
"""Of each scale: enough to have a history to descend by. Recordings are as those of longer requests."""


def shapes(longest: int) -> list[Size]:
    """(height, width) of the results of this size that are painted, in their order."""
    return [fit(height, width, longest) for width, height in RATIOS]


def paint_shapes(
    paint: Callable[[Work], Generator[Progress, None, Result]], longest: int, clock: Callable[[], float]
) -> None:
    """Paint a few evaluations of each scale of each shape, with the default options, as long as there is time.

    Each twice: what comes again is recorded (`graphs`).

    Shapes for which there is not enough memory are left out.

    Args:
        paint: one step for each evaluation.
        longest: side of the results, in pixels.
        clock: seconds, monotonic.
    """
    ends = clock() + SECONDS
    for height, width in shapes(longest):
        picture = torch.randint(0, 256, (3, height, width), dtype=torch.uint8)
        options = Options(size=longest, iterations=EVALUATIONS * len(scales(height, width, "content")))
        for _ in range(2):
            with (
                suppress(DoesNotFitError),
                closing(paint(Work(picture, [picture.flip(2)], options))) as steps,
            ):
                for _ in steps:
                    if clock() >= ends:
                        return
