"""Limited-memory BFGS that spends exactly one evaluation at a time, so that it can be stopped at any of them."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from service.style.optimiser.curvature import Curvature

Function = Callable[[Tensor], tuple[Tensor, Tensor]]

SUFFICIENT_DECREASE = 1e-4  # Armijo's constant, Nocedal & Wright, Numerical Optimization, eq. 3.4
REJECTIONS_BEFORE_RESET = 5
RESETS_BEFORE_STALL = 3

SHORTER = 0.3
SHORTER_YET = 0.1
"""Of a rejected step, where the loss was finite and where it was not. About one evaluation in a hundred is rejected,
so the minimum of a parabola would gain nothing, and it would amplify the rounding of two nearly equal losses."""

HISTORY_ENTRIES = 2**27
"""Numbers that the history may hold: half a gigabyte in float32. It is full at 1024x768 px with 28 pairs."""


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
    is a rejected step; losses are taken in units of the first one, so that whatever their size, squares of the
    gradient neither overflow nor vanish in float32; and one call is one evaluation, whatever the line search does.

    What becomes of a step is decided on the device: `advance` reads nothing, always does the same operations, and
    leaves everything in the same tensors, so it may be recorded as a CUDA graph. Each reading waits until a GPU has
    done all that it was given, and leaves it idle until it is given more; so `step` reads once, whatever the number
    of its evaluations.

    Args:
        function: point -> (loss, a scalar; gradient, of the point's shape).
        start: the first point.
        history: how many pairs of (step, change of gradient) approximate the curvature. None: what
            `most_pairs` says.
        first_step: root mean square, over the entries, of the very first step.
        recordable: whether `advance` is going to be recorded, which takes the whole history into every product.

    Attributes:
        function: as given.
        point: the best point so far; it is overwritten by further evaluations.
        loss: its loss; infinity before the first evaluation.
        evaluations: how many were made.
        stalled: no descent is to be had any more. Further steps do nothing.
    """

    def __init__(
        self,
        function: Function,
        start: Tensor,
        *,
        history: int | None = None,
        first_step: float = 0.2,
        recordable: bool = False,
    ) -> None:
        self.function = function
        self.point = start.clone()
        self.loss = math.inf
        self.evaluations = 0
        self.stalled = False
        self._first_length = first_step * start.numel() ** 0.5
        self._curvature = Curvature(
            most_pairs(start.numel()) if history is None else history, start, whole=recordable
        )
        self._gradient = torch.zeros_like(start)
        self._direction = torch.zeros_like(start)
        # Scalars. Those of the best point: its loss, and that of the first, which is the unit.
        number = start.new_zeros((), dtype=torch.float64)
        self._loss, self._unit = number + math.inf, number + 1
        self._squared = number.clone()  # of the gradient's norm
        # Of the step, and of the loss along the direction.
        self._length, self._slope = number + 1, number.clone()
        self._rejections, self._resets = number.clone(), number.clone()
        self._stalled = number > 0

    def step(self, evaluations: int = 1) -> list[float]:
        """Make some evaluations, and accept or reject each point where one was made.

        Returns:
            The loss after each of them, or less where the descent ends before.
        """
        reports = []
        for _ in range(0 if self.stalled else evaluations):
            self.advance()
            reports.append(self.report())
        losses: list[float] = []
        for loss, stalled in torch.stack(reports).tolist() if reports else []:  # the only reading
            losses.append(loss)
            if stalled:
                self.stalled = True
                break
        if losses:
            self.evaluations += len(losses)
            self.loss = losses[-1]
        return losses

    def report(self) -> Tensor:
        """The loss of the best point, and 1 where the descent has stalled, else 0: (2,), float64, on the device."""
        return torch.stack([self._loss * self._unit, self._stalled.double()])

    def advance(self) -> None:
        """Evaluate the function once, and accept or reject the point, without waiting for any of it."""
        trial = self.point + self._length * self._direction
        loss, gradient = self.function(trial)
        loss = loss.double()
        size = loss.abs()
        torch.where((self._loss == math.inf) & (size > 0), size, self._unit, out=self._unit)
        loss, gradient = loss / self._unit, (gradient / self._unit).contiguous()

        step, change = trial - self.point, gradient - self._gradient
        pairs = ((gradient, gradient), (step, change), (step, step), (change, change))
        dots = torch.stack([torch.dot(a.flatten(), b.flatten()) for a, b in pairs])
        squared, curvature, steps, changes = dots.double().unbind()
        finite = loss.abs() + squared < math.inf
        enough = self._loss + SUFFICIENT_DECREASE * self._length * self._slope
        accepted = finite & (loss <= enough) & ~self._stalled  # infinity is enough for the first
        # Its curvature has to be positive beyond rounding; another would spoil the approximation.
        telling = accepted & (curvature > 1e-10 * (steps * changes).sqrt())
        better = (trial, self.point), (gradient, self._gradient), (loss, self._loss), (squared, self._squared)
        for there, here in better:
            torch.where(accepted, there, here, out=here)
        del trial, gradient, better, there, here

        self._rejections.add_(1).masked_fill_(accepted, 0)
        again = self._rejections > REJECTIONS_BEFORE_RESET  # shorter steps have not helped: start anew
        self._rejections.masked_fill_(again, 0)
        self._resets.add_(again).masked_fill_(accepted, 0)
        self._curvature.clear(again)
        torch.where(finite, self._length * SHORTER, self._length * SHORTER_YET, out=self._length)
        self._aim(accepted | again, step, change, telling)
        # Nothing to go back to; nothing helps; nowhere to go.
        self._stalled |= (
            (self._loss == math.inf) | (self._resets >= RESETS_BEFORE_STALL) | (self._squared == 0)
        )

    def _aim(self, when: Tensor, step: Tensor, change: Tensor, telling: Tensor) -> None:
        """Set the next direction: by the curvature, or steepest descent while nothing is known of it.

        Args:
            when: a boolean scalar: whether there is to be another direction.
            step: of the last evaluation; overwritten.
            change: of its gradient; overwritten.
            telling: a boolean scalar: whether they tell something about the curvature.
        """
        candidate = self._curvature.remember(step, change, telling, self._gradient).neg_()
        del step, change
        slope = torch.dot(self._gradient.flatten(), candidate.flatten()).double()
        descent = slope < 0  # rounding may have made it an ascent
        self._curvature.clear(when & ~descent)
        norm, length = self._squared.sqrt(), self._first_length * 0.1**self._resets
        steepest = self._gradient * (-length / norm)
        slope = torch.where(descent, slope, -length * norm)
        torch.where(descent, candidate, steepest, out=candidate)
        torch.where(when, candidate, self._direction, out=self._direction)
        torch.where(when, slope, self._slope, out=self._slope)
        self._length.masked_fill_(when, 1)
