"""Filters of pictures."""

import torch
from torch import Tensor

from service.style.network import REPEAT, Padding

REACH = 1 / 8
"""Of the longest side: how far from the seam of a picture that is closed its correction falls to 1/e."""

ORDINARY = 1.5
"""Sides meet where the step between them is at most so many times one that a tenth of the lines inside exceed."""


def low_pass(picture: Tensor, padding: Padding = REPEAT) -> Tensor:
    """[1 2 1]/4 in both directions, (1, C, H, W) -> (1, C, H, W); its own transpose, whether it repeats or wraps."""
    for dimension in (2, 3):
        padded = padding.along(picture, dimension)
        length = picture.shape[dimension]
        before, after = padded.narrow(dimension, 0, length), padded.narrow(dimension, 2, length)
        picture = (before + after) / 4 + picture / 2
    return picture


def meeting(picture: Tensor, padding: Padding) -> Padding:
    """The same padding, which wraps only where opposite sides of the picture, uint8 (3, H, W), meet already."""
    return Padding(
        "wrap" if padding.rows == "wrap" and _meet(picture, 1) else "repeat",
        "wrap" if padding.columns == "wrap" and _meet(picture, 2) else "repeat",
    )


def close(picture: Tensor, padding: Padding) -> Tensor:
    """A picture whose opposite sides meet where it wraps.

    The step between them is taken out by a picture s that is as smooth as possible elsewhere: Δs - κ² s = v, where v
    is the step on both of its sides. Without κ it is the smooth component of Moisan 2011 ("Periodic plus smooth image
    decomposition", eq. 10 and 11), which shades the whole picture; with it, what is far from the seam stays as it is.

    Args:
        picture: uint8 (3, H, W).
        padding: says where it wraps.

    Returns:
        uint8 (3, H, W); the picture itself where its sides meet already.
    """
    closed = meeting(picture, padding)
    steps = [
        dimension
        for dimension, wanted, found in ((0, padding.rows, closed.rows), (1, padding.columns, closed.columns))
        if wanted == "wrap" and found != "wrap"
    ]
    if not steps:
        return picture
    height, width = picture.shape[-2:]
    down = (torch.arange(height) * torch.pi / height).sin() ** 2
    across = (torch.arange(width // 2 + 1) * torch.pi / width).sin() ** 2
    laplacian = -4 * (down[:, None] + across) - 1 / (REACH * max(height, width)) ** 2
    planes = []
    for plane in picture.float():
        v = torch.zeros_like(plane)
        for dimension in steps:
            first, last = plane.select(dimension, 0), plane.select(dimension, -1)
            v.select(dimension, 0).add_(last - first)
            v.select(dimension, -1).add_(first - last)
        s = torch.fft.irfft2(torch.fft.rfft2(v) / laplacian, s=(height, width))
        planes.append((plane - s).round().clamp(0, 255).to(torch.uint8))
    return torch.stack(planes)


def _meet(picture: Tensor, dimension: int) -> bool:
    lines = picture.movedim(dimension, 0).short()
    inside = lines.diff(dim=0).abs().float().mean((1, 2))
    across = (lines[0] - lines[-1]).abs().float().mean()
    return bool(across <= ORDINARY * inside.quantile(0.9))
