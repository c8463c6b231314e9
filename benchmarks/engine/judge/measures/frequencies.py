"""What a picture has at high spatial frequencies: a mesh, a weave, and the photograph's own lines."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue: BT.601."""

MESH = (0.4, 1.0)
"""Cycles per pixel. Average pooling sees little of it; no brush paints it."""

WEAVE = (1 / 8, 1 / 3)
"""Cycles per pixel: periods of 3 to 8 px."""

LINES = (1 / 8, 1.0)
"""Cycles per pixel: lines, and edges."""

FLAT = 4.0
"""Levels, the standard deviation of a photograph's luminance in a window: below it the photograph is flat."""

FLAT_WINDOW = 9
"""Pixels."""

LEAST_FLAT = 0.02
"""Part of a picture: with less of it nothing is said about flat parts."""


def mesh(picture: Tensor) -> float:
    """Root mean square of the luminance above 0.4 cycles per pixel, in levels, of uint8 (3, H, W)."""
    return float(band(luminance(picture), *MESH).square().mean().sqrt())


def weave(photograph: Tensor, picture: Tensor) -> float:
    """Root mean square of the luminance with periods of 3 to 8 px where the photograph is flat.

    Args:
        photograph: uint8 (3, H, W).
        picture: likewise, of the same size.

    Returns:
        Levels; not a number where the photograph is flat nowhere.
    """
    where = flat(photograph)
    if where.double().mean() < LEAST_FLAT:
        return math.nan
    return float(band(luminance(picture), *WEAVE)[where].square().mean().sqrt())


def lines(photograph: Tensor, picture: Tensor) -> float:
    """How much of the photograph's drawing is in the picture: the correlation of both above 1/8 cycle per pixel.

    Args:
        photograph: uint8 (3, H, W).
        picture: likewise, of the same size.

    Returns:
        -1..1, 1 for the photograph itself; not a number where one of them has nothing there.
    """
    first, second = (band(luminance(each), *LINES) for each in (photograph, picture))
    lengths = float((first.square().sum() * second.square().sum()).sqrt())
    return float((first * second).sum()) / lengths if lengths > 0 else math.nan


def luminance(picture: Tensor) -> Tensor:
    """(H, W), in levels, of uint8 (3, H, W)."""
    return torch.einsum("c,chw->hw", torch.tensor(LUMA, dtype=torch.float64), picture.double())


def band(plane: Tensor, low: float, high: float) -> Tensor:
    """What (H, W) has from `low` to `high` cycles per pixel. It is mirrored at its rim, where nothing jumps then."""
    height, width = plane.shape
    whole = torch.cat([plane, plane.flip(0)], 0)
    whole = torch.cat([whole, whole.flip(1)], 1)
    down = torch.fft.fftfreq(2 * height, dtype=plane.dtype)
    across = torch.fft.rfftfreq(2 * width, dtype=plane.dtype)
    radius = (down[:, None].square() + across.square()).sqrt()
    kept = torch.fft.rfft2(whole) * ((radius >= low) & (radius < high))
    filtered: Tensor = torch.fft.irfft2(kept, s=whole.shape)
    return filtered[:height, :width]


def flat(photograph: Tensor) -> Tensor:
    """Where uint8 (3, H, W) has nothing but smooth colour: bool (H, W)."""
    padding = FLAT_WINDOW // 2
    plane = luminance(photograph)[None, None]
    padded = F.pad(plane, (padding,) * 4, mode="reflect")
    mean, square = (F.avg_pool2d(each, FLAT_WINDOW, 1)[0, 0] for each in (padded, padded.square()))
    return (square - mean.square()) < FLAT**2
