"""Total variation: what a picture changes from pixel to pixel. Not in the paper; it takes out fine texture."""

import torch
from torch import Tensor

from service.style.network import REPEAT, Padding


def variation(x: Tensor, padding: Padding = REPEAT) -> Tensor:
    """Σ of the squared differences of neighbouring pixels, in steps of 1/255, along rows and columns: a scalar.

    Args:
        x: (1, 3, H, W) in [0, 1], or (1, 1, H, W), which stands for three equal channels.
        padding: where it wraps, the last and the first are neighbours too.
    """
    return sum(
        ((_closed(x, dimension, padding).diff(dim=dimension) * 255).square().sum() for dimension in (2, 3)),
        start=x.new_zeros(()),
    ) * (3 / x.shape[1])


def variation_gradient(x: Tensor, padding: Padding = REPEAT) -> Tensor:
    """The gradient of `variation` with respect to x, of its shape."""
    gradient = x.new_zeros(x.shape)
    for dimension in (2, 3):
        difference = x.diff(dim=dimension)
        length = difference.shape[dimension]
        gradient.narrow(dimension, 1, length).add_(difference)
        gradient.narrow(dimension, 0, length).sub_(difference)
        if _wraps(dimension, padding):
            first, last = x.narrow(dimension, 0, 1), x.narrow(dimension, length, 1)
            gradient.narrow(dimension, 0, 1).add_(first - last)
            gradient.narrow(dimension, length, 1).sub_(first - last)
    return gradient.mul_(2 * 255**2 * 3 / x.shape[1])


def _closed(x: Tensor, dimension: int, padding: Padding) -> Tensor:
    """With the first once more behind the last, where the picture wraps."""
    return torch.cat((x, x.narrow(dimension, 0, 1)), dimension) if _wraps(dimension, padding) else x


def _wraps(dimension: int, padding: Padding) -> bool:
    return (padding.rows if dimension == 2 else padding.columns) == "wrap"
