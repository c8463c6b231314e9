"""What a 3x3 convolution sees beyond the border of its picture, and how the gradient comes back from there.

VGG was trained with zeros there, which no picture has: the descent makes up for them, at every scale, and the result
gets a rim of other colours, 3 to 6 px wide (docs/develop/algorithm.md). With the border repeated it does not.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Beyond = Literal["zero", "repeat", "wrap"]
"""zero: zeros. repeat: the border once more. wrap: the opposite border, as if the picture were a ring."""


@dataclass(frozen=True)
class Padding:
    """One position on each side of a picture, (B, C, H, W), of any size.

    Attributes:
        rows: above the first row and below the last.
        columns: to the left of the first column and to the right of the last.
    """

    rows: Beyond = "repeat"
    columns: Beyond = "repeat"

    def around(self, h: Tensor) -> Tensor:
        """The picture with its surroundings, (B, C, H+2, W+2), channels_last if h is."""
        if self == REPEAT:
            return F.pad(h, (1, 1, 1, 1), mode="replicate")
        return self.along(self.along(h, 2), 3)

    def along(self, h: Tensor, dimension: int, width: int = 1) -> Tensor:
        """The picture with so many more positions on two sides.

        Args:
            h: (B, C, H, W).
            dimension: 2: above and below; 3: left and right.
            width: of each margin, at most the length of the picture there where it wraps.
        """
        beyond = self.rows if dimension == 2 else self.columns
        length = h.shape[dimension]
        if beyond == "wrap":
            return torch.cat(
                (h.narrow(dimension, length - width, width), h, h.narrow(dimension, 0, width)), dimension
            )
        margins = (0, 0, width, width) if dimension == 2 else (width, width, 0, 0)
        return F.pad(h, margins) if beyond == "zero" else F.pad(h, margins, mode="replicate")

    def fold(self, gradient: Tensor) -> Tensor:
        """Adjoint of `around`: (B, C, H+2, W+2) becomes (B, C, H, W), channels_last. The gradient is overwritten."""
        for dimension, beyond in ((2, self.rows), (3, self.columns)):
            inner = gradient.narrow(dimension, 1, gradient.shape[dimension] - 2)
            _give(beyond, inner, dimension, *_ends(gradient, dimension))
            gradient = inner
        return gradient.contiguous(memory_format=torch.channels_last)

    def fold_margin(self, gradient: Tensor, rows: Tensor, columns: Tensor) -> None:
        """As `fold`, where the picture's own gradient and that of its surroundings are apart.

        Args:
            gradient: of the picture, (B, C, H, W); the rest is added to it.
            rows: of the two rows around it, (B, C, 2, W+2), corners included; overwritten.
            columns: of the two columns around it, (B, C, H, 2).
        """
        inner = rows.narrow(3, 1, gradient.shape[3])
        _give(self.columns, inner, 3, *_ends(rows, 3))
        _give(self.rows, gradient, 2, *_ends(inner, 2))
        _give(self.columns, gradient, 3, *_ends(columns, 3))


ZERO = Padding("zero", "zero")
"""As VGG was trained."""

REPEAT = Padding("repeat", "repeat")


def _ends(h: Tensor, dimension: int) -> tuple[Tensor, Tensor]:
    return h.narrow(dimension, 0, 1), h.narrow(dimension, h.shape[dimension] - 1, 1)


def _give(beyond: Beyond, inner: Tensor, dimension: int, before: Tensor, after: Tensor) -> None:
    """Add the gradients before and after a picture to that of those of its positions that stand there."""
    if beyond == "zero":
        return
    first, last = _ends(inner, dimension)
    if beyond == "wrap":
        first, last = last, first
    first.add_(before)
    last.add_(after)
