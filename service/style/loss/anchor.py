"""How far a picture is from another one that it is held to: what keeps the frames of a film together.

Not in the paper. Ruder, Dosovitskiy & Brox 2016 (arXiv:1604.08610), section 4: the temporal term, whose anchor is the
painting of the last frame, moved along the optical flow, and which holds where the flow can be trusted.
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class AnchorTerm:
    """weight · Σ m (x - anchor)², in steps of 1/255.

    Attributes:
        weight: above 0, with its size factor.
        target: the anchor as the network sees it, (1, C, H, W). One channel stands for three equal ones.
        held: m, how strongly each pixel is held, (1, 1, H, W) in [0, 1].
    """

    weight: float
    target: Tensor
    held: Tensor

    def loss(self, x: Tensor) -> Tensor:
        """Of the picture x, of the target's shape: a scalar."""
        return ((x - self.target) * 255).square_().mul_(self.held).sum() * self._factor

    def gradient(self, x: Tensor) -> Tensor:
        """Of the loss with respect to x, of its shape."""
        return (x - self.target).mul_(self.held).mul_(2 * 255**2 * self._factor)

    @property
    def _factor(self) -> float:
        return self.weight * 3 / self.target.shape[1]
