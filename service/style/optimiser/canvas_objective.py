"""What the optimiser minimises: eq. 7 as a function of the canvas's coordinates."""

from torch import Tensor

from service.style.loss.objective import Objective
from service.style.optimiser.canvas import Canvas


class CanvasObjective:
    """u -> the loss of the picture that is painted at u, and its gradient with respect to u.

    Attributes:
        canvas: paints.
        objective: judges.
    """

    def __init__(self, canvas: Canvas, objective: Objective) -> None:
        self.canvas = canvas
        self.objective = objective

    def __call__(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Loss, a scalar, and gradient, of the shape of u, (1, C, H, W)."""
        x = self.canvas.paint(u)
        loss, gradient = self.objective.loss_and_gradient(x)
        return loss, self.canvas.pullback(x, gradient)
