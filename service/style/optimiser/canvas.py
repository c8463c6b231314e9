"""Coordinates in which the picture is optimised: they keep it inside its bounds, and free of a mesh."""

import torch
from torch import Tensor

from service.style.filters import low_pass
from service.style.network import REPEAT, Padding

MARGIN = 0.02
"""How far from its bounds a start is kept, as part of the way between them: closer to them the logistic function is
so flat that nothing would move."""

NARROWEST = 1e-6
"""Bounds that are closer than this hold a pixel where it is."""

STILL = 1e-6
"""The same where nothing has to move: far less than 8 bits show."""

SPREAD = 1.0
"""Standard deviation of the noise by which seeds differ, in u: filtered, some 20/255 at mid-grey. It is painted over;
the losses of the pictures that come of it are as low as without it."""


class Canvas:
    """x = σ(logit(start) + K u): the picture x as a function of free coordinates u.

    σ, the logistic function, keeps x in [0, 1]. A loss on unbounded pixels is not the loss of the picture that is
    delivered: clamping it afterwards costs a factor of four to twelve. Other bounds than 0 and 1 are laid on
    that interval: low stands for 0 and high for 1.

    K is a binomial low-pass filter, [1 2 1]/4 in each direction, or the identity. It cures a mesh of single pixels:
    average pooling does not see a pattern that alternates from pixel to pixel, and its gradient, constant over
    each 2x2 block, keeps drawing one. K's response to such a pattern is zero, so x keeps what the start has
    of it, and whatever the loss does see is still reached.

    Where only a part is to be painted, x = σ(logit(start) + free ∘ K u), and nothing moves where `free` is 0.

    Args:
        start: (1, C, H, W); brought inside the bounds, MARGIN away from them.
        smooth: whether K is the filter. A start from white noise wants the identity, or the finest detail
            would be missing, which such a start does not have.
        low: bound of x, a number or (1, C, H, W).
        high: likewise, nowhere less than low. Where they are equal, nothing moves.
        free: (1, 1, H, W), in [0, 1]: how freely each pixel moves; None: all of them do.
        padding: what the filter sees beyond the border.
    """

    def __init__(
        self,
        start: Tensor,
        *,
        smooth: bool,
        low: Tensor | float = 0.0,
        high: Tensor | float = 1.0,
        free: Tensor | None = None,
        padding: Padding = REPEAT,
    ) -> None:
        self._low, self._high, self._range = low, high, high - low
        self._divisor = torch.as_tensor(self._range).clamp(min=NARROWEST).to(start.device)
        inside = (start - low) / self._divisor
        if free is not None:  # what cannot move needs no margin for it
            margin = (MARGIN * free).clamp(min=STILL)
            inside = inside.clamp(margin, 1 - margin)
        self._logit = torch.logit(inside, eps=MARGIN if free is None else STILL)
        self._smooth = smooth
        self._free = free
        self._padding = padding

    def origin(self) -> Tensor:
        """The u of the start: zeros, (1, C, H, W)."""
        return torch.zeros_like(self._logit)

    def near_origin(self, seed: int) -> Tensor:
        """A u close to that of the start, (1, C, H, W): normal noise of this seed.

        It leads the descent elsewhere, so that each seed gives a picture of its own, equally good.
        """
        # On the CPU, so that a seed means the same noise on every device.
        noise = torch.randn(self._logit.shape, generator=torch.Generator().manual_seed(seed))
        return SPREAD * noise.to(self._logit)

    def paint(self, u: Tensor) -> Tensor:
        """The picture x of u, (1, C, H, W), within its bounds."""
        move = low_pass(u, self._padding) if self._smooth else u
        inside = torch.sigmoid(self._logit + (move if self._free is None else self._free * move))
        return self._low + self._range * inside

    def pullback(self, x: Tensor, gradient: Tensor) -> Tensor:
        """The gradient with respect to u, given x = paint(u) and the gradient with respect to x."""
        inner = gradient * (x - self._low) * (self._high - x) / self._divisor
        if self._free is not None:
            inner = self._free * inner
        return low_pass(inner, self._padding) if self._smooth else inner
