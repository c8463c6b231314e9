"""Filters of pictures."""

from torch import Tensor

from service.style.network import REPEAT, Padding


def low_pass(picture: Tensor, padding: Padding = REPEAT) -> Tensor:
    """[1 2 1]/4 in both directions, (1, C, H, W) -> (1, C, H, W); its own transpose, whether it repeats or wraps."""
    for dimension in (2, 3):
        padded = padding.along(picture, dimension)
        length = picture.shape[dimension]
        before, after = padded.narrow(dimension, 0, length), padded.narrow(dimension, 2, length)
        picture = (before + after) / 4 + picture / 2
    return picture
