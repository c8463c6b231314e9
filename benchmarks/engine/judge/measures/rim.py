"""The rim of a picture against its inside: a frame that nobody painted."""

import math

from torch import Tensor

RINGS = 6
"""Pixels from the rim that are judged."""

INSIDE = (8, 16)
"""Pixels from the rim of what they are compared with."""


def rim(picture: Tensor) -> float:
    """The mean over the outermost rings of how far their mean colour is from that of the band inside them.

    Args:
        picture: uint8 (3, H, W).

    Returns:
        Levels, the mean of the channels; not a number where the picture is too small to have an inside. A photograph
        has some too: what counts is what a painting has beyond it.
    """
    if min(picture.shape[1:]) <= 2 * INSIDE[1]:
        return math.nan
    inside = _between(picture, *INSIDE)
    rings = [_between(picture, ring, ring + 1) for ring in range(RINGS)]
    return sum(float((ring - inside).abs().mean()) for ring in rings) / RINGS


def _between(picture: Tensor, outer: int, inner: int) -> Tensor:
    """The mean colour, (3,), of what is `outer` to `inner` pixels from the rim."""
    boxes = [
        picture[:, edge : picture.shape[1] - edge, edge : picture.shape[2] - edge] for edge in (outer, inner)
    ]
    sums = [box.double().sum((1, 2)) for box in boxes]
    return (sums[0] - sums[1]) / (boxes[0][0].numel() - boxes[1][0].numel())
