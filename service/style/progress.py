"""What a transfer tells on its way and at its end."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from service.style.loss.objective import Losses

Stopped = Literal["converged", "iterations", "budget", "budget-too-small"]
"""Why there were no further evaluations. The last: the time did not suffice for even one at the full size, and the
picture is an enlarged one."""


@dataclass(frozen=True)
class Progress:
    """How far it is, after each evaluation of loss and gradient, or each few of them.

    Attributes:
        fraction: of the work, 0..1, never falling.
        evaluations: so far, over all scales.
        loss: eq. 7 of the best picture of this scale; scales compare only roughly.
        seconds_left: estimated.
        size: (height, width) of the scale that is being worked on.
        preview: makes the best picture so far, uint8 (3, *size). Call it before the generator goes on.
    """

    fraction: float
    evaluations: int
    loss: float
    seconds_left: float
    size: tuple[int, int]
    preview: Callable[[], Tensor]


@dataclass(frozen=True)
class Result:
    """The picture and how it came about.

    Attributes:
        image: uint8 (3, H, W), sRGB, on the CPU; uint16 where 16 bits were asked for.
        losses: of these very pixels; with color "content-luminance", of their luminance.
        evaluations: of loss and gradient, over all scales.
        stopped: why no further ones were made.
        seconds: that it took.
        cut_short: the time ended one of its scales, even if the last one came to its own end. Where it did not,
            the same request gives the same picture.
    """

    image: Tensor
    losses: Losses
    evaluations: int
    stopped: Stopped
    seconds: float
    cut_short: bool


def finish(
    run: Generator[Progress, None, Result], show: Callable[[Progress], object] | None = None
) -> Result:
    """Run a transfer to its end.

    Args:
        run: what `stylize` returns.
        show: called with each progress.

    Raises:
        ValueError, FloatingPointError: as the transfer does.
    """
    while True:
        try:
            progress = next(run)
        except StopIteration as stop:
            result: Result = stop.value
            return result
        if show is not None:
            show(progress)
