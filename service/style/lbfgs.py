"""Limited-memory BFGS that spends exactly one evaluation at a time, so that it can be stopped at any of them."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from service.style.curvature import Curvature

Function = Callable[[Tensor], tuple[Tensor, Tensor]]

SUFFICIENT_DECREASE = 1e-4  # Armijo's constant, Nocedal & Wright, Numerical Optimization, eq. 3.4
REJECTIONS_BEFORE_RESET = 5
RESETS_BEFORE_STALL = 3

SHORTER = 0.3
SHORTER_YET = 0.1
"""Of a rejected step, where the loss was finite and where it was not. About one evaluation in a hundred is rejected,
so the minimum of a parabola would gain nothing, and it would amplify the rounding of two nearly equal losses."""

HISTORY_ENTRIES = 2**27
"""Numbers that the history may hold: half a gigabyte in float32. It is full at 1024 px with 28 pairs."""


def most_pairs(numbers: int, evaluations: int | None = None) -> int:
    """Pairs that a history has room for: 50, as many as HISTORY_ENTRIES allow, but 8 at least; none that cannot come.

    Args:
        numbers: of a point.
        evaluations: that will be made at most; None: any number.
    """
    room = min(50, max(8, HISTORY_ENTRIES // (2 * numbers)))
    return room if evaluations is None else max(1, min(room, evaluations - 1))


class LBFGS:
    """Minimise a function of one tensor (Nocedal & Wright, section 7.2, with a backtracking line search).

    Differences from torch.optim.LBFGS, each for a reason: the first step has a length of its own instead of one
    scaled by the L1 norm of the gradient (which makes no progress on pictures in [0, 1]); a step is accepted only if
    it lowers the loss enough, so the current point is always the best so far; a loss or gradient that is not finite
    is a rejected step; and one call is one evaluation, whatever the line search does.

    The numbers that decide about a step are read from the device all at once, after its evaluation: each reading
    waits until a GPU has done all that it was given, and leaves it idle until it is given more.

    Args:
        function: point -> (loss, a scalar; gradient, of the point's shape).
        start: the first point.
        history: how many pairs of (step, change of gradient) approximate the curvature. None: what
            `most_pairs` says.
        first_step: root mean square, over the entries, of the very first step.

    Attributes:
        point: the best point so far.
        loss: its loss; infinity before the first evaluation.
        evaluations: how many were made.
        stalled: no descent is to be had any more. Further steps do nothing.
    """

    def __init__(
        self, function: Function, start: Tensor, *, history: int | None = None, first_step: float = 0.2
    ) -> None:
        self.point = start
        self.loss = math.inf
        self.evaluations = 0
        self.stalled = False
        self._function = function
        self._first_step = first_step
        if history is None:
            history = most_pairs(start.numel())
        self._curvature = Curvature(history, start)
        self._gradient = torch.zeros_like(start)
        self._direction = torch.zeros_like(start)
        self._norm = 0.0  # of the gradient
        # Of the loss along what the curvature says, and along the direction: scalars, on the device.
        self._slopes = start.new_zeros(2).unbind()
        self._step = 1.0
        self._rejections = 0
        self._resets = 0

    def step(self) -> None:
        """Evaluate the function once, and accept or reject the point where it was evaluated."""
        if self.stalled:
            return
        trial = self.point + self._step * self._direction
        loss_, gradient = self._function(trial)
        self.evaluations += 1
        step, change = trial - self.point, gradient - self._gradient
        loss, squared, steps, changes, curvature, proposed, slope = torch.stack(
            [
                loss_.to(step.dtype),
                _dot(gradient, gradient),
                _dot(step, step),
                _dot(change, change),
                _dot(step, change),
                *self._slopes,
            ]
        ).tolist()  # the only reading
        if not proposed < 0:  # what the curvature said was not followed: see _aim
            self._curvature.clear()
        finite = math.isfinite(loss) and math.isfinite(squared)
        if not math.isfinite(self.loss):
            if finite:
                self._accept(trial, loss, gradient, squared**0.5)
            else:  # nothing to go back to
                self.stalled = True
        elif finite and loss <= self.loss + SUFFICIENT_DECREASE * self._step * slope:
            # Its curvature has to be positive beyond rounding; another would spoil the approximation.
            if curvature > 1e-10 * (steps * changes) ** 0.5:
                self._curvature.remember(step, change)
            self._accept(trial, loss, gradient, squared**0.5)
        else:
            self._reject(loss if finite else math.inf)

    def _accept(self, point: Tensor, loss: float, gradient: Tensor, norm: float) -> None:
        self.point, self.loss, self._gradient, self._norm = point, loss, gradient, norm
        self._rejections = self._resets = 0
        self._aim()

    def _reject(self, loss: float) -> None:
        """Shorten the step, or start anew where that has not helped."""
        self._rejections += 1
        if self._rejections > REJECTIONS_BEFORE_RESET:
            self._rejections = 0
            self._resets += 1
            self.stalled = self._resets >= RESETS_BEFORE_STALL
            self._curvature.clear()
            self._aim(shorter=0.1**self._resets)
            return
        self._step *= SHORTER if math.isfinite(loss) else SHORTER_YET

    def _aim(self, *, shorter: float = 1.0) -> None:
        """Set the next direction: by the curvature, or steepest descent while nothing is known of it."""
        if self._norm == 0:  # a stationary point: nowhere to go
            self.stalled = True
            return
        length = shorter * self._first_step * self._gradient.numel() ** 0.5
        direction = self._gradient * (-length / self._norm)
        slope = proposed = _dot(self._gradient, direction)
        if self._curvature:
            # Rounding may have made it an ascent: then it is steepest descent all the same, without waiting to know.
            candidate = self._curvature.times(self._gradient).neg_()
            proposed = _dot(self._gradient, candidate)
            direction = torch.where(proposed < 0, candidate, direction)
            slope = torch.where(proposed < 0, proposed, slope)
        self._direction, self._step, self._slopes = direction, 1.0, (proposed, slope)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return torch.dot(a.flatten(), b.flatten())
