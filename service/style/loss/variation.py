"""Total variation: what a picture changes from pixel to pixel. Not in the paper; it takes out fine texture."""

from torch import Tensor


def variation(x: Tensor) -> Tensor:
    """Σ of the squared differences of neighbouring pixels, in steps of 1/255, along rows and columns: a scalar.

    Args:
        x: (1, 3, H, W) in [0, 1], or (1, 1, H, W), which stands for three equal channels.
    """
    return sum(
        ((x.diff(dim=dimension) * 255).square().sum() for dimension in (2, 3)), start=x.new_zeros(())
    ) * (3 / x.shape[1])


def variation_gradient(x: Tensor) -> Tensor:
    """The gradient of `variation` with respect to x, of its shape."""
    gradient = x.new_zeros(x.shape)
    for dimension in (2, 3):
        difference = x.diff(dim=dimension)
        length = difference.shape[dimension]
        gradient.narrow(dimension, 1, length).add_(difference)
        gradient.narrow(dimension, 0, length).sub_(difference)
    return gradient.mul_(2 * 255**2 * 3 / x.shape[1])
