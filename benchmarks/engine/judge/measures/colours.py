"""How far the colours of two pictures are apart, wherever in the pictures they are."""

import math

import torch
from torch import Tensor

DIRECTIONS = 64
QUANTILES = 256


def colour_distance(first: Tensor, second: Tensor) -> float:
    """The sliced Wasserstein distance of their colours.

    Bonneel et al. 2015, *Sliced and Radon Wasserstein Barycenters of Measures*, section 2: the mean over directions
    of the colour cube of the mean distance between equal quantiles. It is doubled, so that pictures that differ by a
    shift of all colours are as far apart as that shift is long.

    Args:
        first: uint8 (3, H, W).
        second: likewise, of any size.

    Returns:
        Levels, of 255 a channel.
    """
    quantiles = [_quantiles(picture) for picture in (first, second)]
    return 2 * float((quantiles[0] - quantiles[1]).abs().mean())


def _quantiles(picture: Tensor) -> Tensor:
    """(DIRECTIONS, QUANTILES) of the colours' components, in levels."""
    along = _directions() @ picture.flatten(1).double()
    places = (torch.arange(QUANTILES) + 0.5) / QUANTILES * along.shape[1]
    return along.sort(1).values[:, places.long()]


def _directions() -> Tensor:
    """Unit vectors evenly over a half-sphere, on Fibonacci's spiral: (DIRECTIONS, 3)."""
    number = torch.arange(DIRECTIONS, dtype=torch.float64) + 0.5
    z = number / DIRECTIONS
    around = number * math.pi * (1 + 5**0.5)
    radius = (1 - z.square()).sqrt()
    return torch.stack([radius * around.cos(), radius * around.sin(), z], 1)
