"""Changing the size of pictures."""

import math

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from service.style import transparency
from service.style.network import REPEAT, Padding

CPU = torch.device("cpu")

SMALLEST_SIDE = 16
"""Pixels of the shortest side that the network needs: conv5_1 comes after four poolings."""

LONGEST_STRIP = 1024
"""Pixels of the longest side of an artwork that is kept larger than wanted for the sake of its shortest side."""

FILTER = 4
"""Pixels of a picture, on either side of a place, that the bicubic filter sees, also where it makes it smaller."""

LANCZOS = 4
"""Pixels of the larger and of the smaller of two pictures that Lanczos' filter sees on either side, and one more."""

KEPT = 512
"""Longest side, in pixels, below which pictures are not reduced before they are needed: so that requests of all sizes
up to it begin with the same pixels at each scale. The optimisation amplifies any difference into another picture."""

_TYPES = {8: torch.uint8, 16: torch.uint16}  # by their bits


def fit(height: int, width: int, longest: int) -> tuple[int, int]:
    """(height, width) with this longest side and the same aspect ratio, rounded to whole pixels.

    >>> fit(3000, 4000, 256)
    (192, 256)
    """
    scale = longest / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def artwork_size(height: int, width: int, longest: int) -> tuple[int, int]:
    """(height, width) of an artwork for a result with this longest side (times the style scale).

    It is never enlarged, and its shortest side is kept at SMALLEST_SIDE at least. A strip so long that this would
    make it larger than LONGEST_STRIP loses its aspect ratio instead: it would take the memory of a large picture.
    """
    least = min(LONGEST_STRIP, SMALLEST_SIDE * max(height, width) / min(height, width))
    wanted = min(max(longest, round(least)), max(height, width))
    rows, columns = fit(height, width, wanted)
    return max(rows, min(SMALLEST_SIDE, height)), max(columns, min(SMALLEST_SIDE, width))


def lanczos(
    picture: Tensor, size: tuple[int, int], alpha: Tensor | None = None, padding: Padding = REPEAT
) -> Tensor:
    """An 8-bit picture, resampled with Pillow's Lanczos filter (antialiased).

    Args:
        picture: uint8 (3, h, w), sRGB.
        size: (H, W) wanted.
        alpha: uint8 (1, h, w): how much of each pixel is seen; what is hidden gets the colours near it. None: all is
            seen.
        padding: where it wraps, so do the filters.

    Returns:
        uint8 (3, H, W) on the CPU; the picture itself if it has this size.
    """
    if tuple(picture.shape[-2:]) == size:
        return picture
    if alpha is not None:
        return filled(*_resized(picture, alpha, size, padding), padding)
    picture, box = _surrounded(picture, size, padding)
    image = Image.fromarray(picture.permute(1, 2, 0).contiguous().cpu().numpy())
    # The gap lets Pillow shrink a large photograph by whole factors first; at 3 the result is as good.
    image = image.resize((size[1], size[0]), Image.Resampling.LANCZOS, box, reducing_gap=3.0)
    return torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view(*size, 3).permute(2, 0, 1)


def _resized(
    picture: Tensor, alpha: Tensor, size: tuple[int, int], padding: Padding
) -> tuple[Tensor, Tensor]:
    around, box = _surrounded(torch.cat((picture, alpha)), size, padding)
    if box is None:
        return transparency.resize(picture, alpha, size)
    return transparency.resize(around[:3], around[3:], size, box)


def _surrounded(
    picture: Tensor, size: tuple[int, int], padding: Padding
) -> tuple[Tensor, tuple[int, int, int, int] | None]:
    """A picture, (C, h, w), with as much of itself around it as a filter to this size sees, where it wraps.

    Also the box in which the picture is, (left, top, right, bottom); None: there is nothing around it.
    """
    height, width = picture.shape[-2:]
    around, margins = picture[None], [0, 0]
    for dimension, beyond in ((2, padding.rows), (3, padding.columns)):
        if beyond == "wrap":
            old, new = picture.shape[dimension - 1], size[dimension - 2]
            margins[dimension - 2] = min(-(-LANCZOS * old // new) + LANCZOS, old)
            around = padding.along(around, dimension, margins[dimension - 2])
    top, left = margins
    box = (left, top, left + width, top + height) if any(margins) else None
    return around[0], box


def filled(picture: Tensor, alpha: Tensor, padding: Padding) -> Tensor:
    """`transparency.fill`, where what is near may also be near the opposite side."""
    height, width = picture.shape[-2:]
    around = torch.cat((picture, alpha))[None]
    top = left = 0
    if padding.rows == "wrap":
        around, top = padding.along(around, 2, height), height
    if padding.columns == "wrap":
        around, left = padding.along(around, 3, width), width
    whole = transparency.fill(around[0, :3], around[0, 3:])
    return whole[:, top : top + height, left : left + width]


def resize(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """As `lanczos`, but float32 (1, 3, H, W) in [0, 1], on the device of the picture."""
    return send(lanczos(picture, size), picture.device)


def send(picture: Tensor, device: torch.device) -> Tensor:
    """A picture as the network sees it, on its device; a GPU fetches it later where it is in pinned memory.

    Args:
        picture: uint8 (3, H, W).
        device: of the network.

    Returns:
        float32 (1, 3, H, W) in [0, 1], channels_last however the picture lies in memory: sums of the same numbers in
        another order have other last bits.
    """
    there = picture.to(device, non_blocking=device.type == "cuda")
    return there.permute(1, 2, 0).contiguous()[None].permute(0, 3, 1, 2).float() / 255


def grey(plane: Tensor, size: tuple[int, int], device: torch.device = CPU) -> Tensor:
    """A plane of how much, a mask in 8 bits, at another size: linear, so that nothing is beyond what there was.

    Args:
        plane: uint8 (1, h, w), on the CPU, so that every device gets the same numbers.
        size: (H, W) wanted.
        device: of the network.

    Returns:
        float32 (1, 1, H, W) in [0, 1], on the device.
    """
    levels = plane[None].float() / 255
    resized = F.interpolate(levels, size=size, mode="bilinear", antialias=True, align_corners=False)
    return resized.clamp(0, 1).to(device)


def kept(longest: int) -> int:
    """The longest side, in pixels, at which to keep a picture that will be used at this one and at smaller ones."""
    return max(longest, KEPT)


def reduce(picture: Tensor, longest: int, padding: Padding = REPEAT) -> Tensor:
    """An 8-bit picture that is no larger than it has to be: all that waits for its turn takes memory.

    Args:
        picture: uint8 (3, h, w).
        longest: what its longest side will be used at, in pixels.
        padding: as for `lanczos`.

    Returns:
        uint8 (3, H, W) with this longest side and the same aspect ratio; the picture itself if it is no larger.
    """
    return lanczos(picture, artwork_size(picture.shape[-2], picture.shape[-1], longest), None, padding)


def reduce_seen(
    picture: Tensor, alpha: Tensor, longest: int, padding: Padding = REPEAT
) -> tuple[Tensor, Tensor]:
    """As `reduce`, for a picture with transparency: what is hidden has the colours of what is seen near it.

    Args:
        picture: uint8 (3, h, w).
        alpha: uint8 (1, h, w), somewhere above 0.
        longest: what its longest side will be used at, in pixels.
        padding: as for `lanczos`.

    Returns:
        The picture and its alpha, with this longest side at most.
    """
    size = artwork_size(picture.shape[-2], picture.shape[-1], longest)
    small, seen = picture, alpha
    if tuple(picture.shape[-2:]) != size:
        small, seen = _resized(picture, alpha, size, padding)
    return filled(small, seen, padding), seen


def enlarge(picture: Tensor, size: tuple[int, int], padding: Padding = REPEAT) -> Tensor:
    """(1, 3, h, w) becomes (1, 3, H, W), bicubic; values may overshoot [0, 1] a little.

    A picture that wraps may also become smaller.
    """
    height, width = picture.shape[-2:]
    if (height, width) == size:
        return picture
    before, wanted = [0, 0], list(size)
    for dimension, beyond in ((2, padding.rows), (3, padding.columns)):
        if beyond == "wrap":
            old, new = picture.shape[dimension], size[dimension - 2]
            # As wide a margin as the filter sees, and a whole number of pixels before and after.
            step = old // math.gcd(old, new)
            margin = min(-(-FILTER // step) * step, old)
            picture = padding.along(picture, dimension, margin)
            before[dimension - 2] = margin * new // old
            wanted[dimension - 2] = new + 2 * before[dimension - 2]
    smaller = size[0] < height or size[1] < width
    larger = F.interpolate(
        picture, size=tuple(wanted), mode="bicubic", align_corners=False, antialias=smaller
    )
    top, left = before
    return larger[:, :, top : top + size[0], left : left + size[1]]


def quantise(picture: Tensor, depth: int = 8) -> Tensor:
    """Round (1, 3, H, W) in [0, 1] to uint8 or uint16 (3, H, W): the picture as it is delivered."""
    kind = _TYPES[depth]
    return (picture[0].clamp(0, 1) * torch.iinfo(kind).max).round().to(kind)


def dequantise(picture: Tensor) -> Tensor:
    """uint8 or uint16 (3, H, W) -> float32 (1, 3, H, W) in [0, 1]: the picture as the network sees it."""
    return picture[None].float() / torch.iinfo(picture.dtype).max
