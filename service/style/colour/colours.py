"""Colours as statistics: luminance, and the mean and covariance of one picture given to another."""

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""Red's, green's and blue's part in the luminance of ITU-R BT.601, the one of JPEG."""

ROUNDING = (1 / 255) ** 2
"""Variance below which a picture has no colours in some direction, only the rounding of 8 bits and of JPEG. Given
the photograph's variance, it would become coloured noise."""


def luminance(picture: Tensor) -> Tensor:
    """Y of BT.601, (1, 1, H, W), of an RGB picture (1, 3, H, W); the same range of values."""
    return (picture * picture.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def statistics(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (C,) and covariance (C, C), over all pixels of a picture (1, C, H, W), in float64."""
    pixels = picture[0].double().flatten(1)
    mean = pixels.mean(1)
    centred = pixels - mean[:, None]
    return mean, centred @ centred.T / pixels.shape[1]


def match(artwork: Tensor, photograph: Tensor) -> Tensor:
    """The artwork with the mean and the covariance of the photograph's colours.

    x' = Σ_p^½ Σ_a^-½ (x - μ_a) + μ_p, with symmetric square roots: the "color histogram matching" of Gatys et al.
    2016 (arXiv:1606.05897), after "image analogies". For one channel it is σ_p/σ_a (x - μ_a) + μ_p, what their
    "luminance-only transfer" does to the artwork first.

    Nothing is clamped, so that the statistics are met: values may lie outside [0, 1]. Where an artwork varies
    less than ROUNDING in some direction (a grey one, one of a single colour), it gets less variance there than
    the photograph has, down to none.

    Args:
        artwork: (1, C, h, w), sRGB in [0, 1], or its luminance.
        photograph: (1, C, H, W), the same.

    Returns:
        Of the artwork's shape and dtype; computed in float64.
    """
    mean_a, covariance_a = statistics(artwork)
    mean_p, covariance_p = statistics(photograph)
    transform = _power(covariance_p, 0.5, least=0.0) @ _power(covariance_a, -0.5, least=ROUNDING)
    centred = artwork[0].double().flatten(1) - mean_a[:, None]
    return (transform @ centred + mean_p[:, None]).view_as(artwork).to(artwork.dtype)


def _power(matrix: Tensor, exponent: float, *, least: float) -> Tensor:
    """A symmetric matrix to a power, its eigenvalues raised to `least` first."""
    values, vectors = torch.linalg.eigh(matrix)
    powered: Tensor = (vectors * values.clamp(min=least).pow(exponent)) @ vectors.T
    return powered
