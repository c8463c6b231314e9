"""Changing the size of pictures."""

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from service.style import transparency

CPU = torch.device("cpu")

SMALLEST_SIDE = 16
"""Pixels of the shortest side that the network needs: conv5_1 comes after four poolings."""

LONGEST_STRIP = 1024
"""Pixels of the longest side of an artwork that is kept larger than wanted for the sake of its shortest side."""

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


def lanczos(picture: Tensor, size: tuple[int, int], alpha: Tensor | None = None) -> Tensor:
    """An 8-bit picture, resampled with Pillow's Lanczos filter (antialiased).

    Args:
        picture: uint8 (3, h, w), sRGB.
        size: (H, W) wanted.
        alpha: uint8 (1, h, w): how much of each pixel is seen; what is hidden gets the colours near it. None: all is
            seen.

    Returns:
        uint8 (3, H, W) on the CPU; the picture itself if it has this size.
    """
    if tuple(picture.shape[-2:]) == size:
        return picture
    if alpha is not None:
        return transparency.fill(*transparency.resize(picture, alpha, size))
    image = Image.fromarray(picture.permute(1, 2, 0).contiguous().cpu().numpy())
    # The gap lets Pillow shrink a large photograph by whole factors first; at 3 the result is as good.
    image = image.resize((size[1], size[0]), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view(*size, 3).permute(2, 0, 1)


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


def reduce(picture: Tensor, longest: int) -> Tensor:
    """An 8-bit picture that is no larger than it has to be: all that waits for its turn takes memory.

    Args:
        picture: uint8 (3, h, w).
        longest: what its longest side will be used at, in pixels.

    Returns:
        uint8 (3, H, W) with this longest side and the same aspect ratio; the picture itself if it is no larger.
    """
    return lanczos(picture, artwork_size(picture.shape[-2], picture.shape[-1], longest))


def reduce_seen(picture: Tensor, alpha: Tensor, longest: int) -> tuple[Tensor, Tensor]:
    """As `reduce`, for a picture with transparency: what is hidden has the colours of what is seen near it.

    Args:
        picture: uint8 (3, h, w).
        alpha: uint8 (1, h, w), somewhere above 0.
        longest: what its longest side will be used at, in pixels.

    Returns:
        The picture and its alpha, with this longest side at most.
    """
    size = artwork_size(picture.shape[-2], picture.shape[-1], longest)
    small, seen = transparency.resize(picture, alpha, size)
    return transparency.fill(small, seen), seen


def enlarge(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Enlarge (1, 3, h, w) to (1, 3, H, W), bicubic; values may overshoot [0, 1] a little."""
    return F.interpolate(picture, size=size, mode="bicubic", align_corners=False)


def quantise(picture: Tensor, depth: int = 8) -> Tensor:
    """Round (1, 3, H, W) in [0, 1] to uint8 or uint16 (3, H, W): the picture as it is delivered."""
    kind = _TYPES[depth]
    return (picture[0].clamp(0, 1) * torch.iinfo(kind).max).round().to(kind)


def dequantise(picture: Tensor) -> Tensor:
    """uint8 or uint16 (3, H, W) -> float32 (1, 3, H, W) in [0, 1]: the picture as the network sees it."""
    return picture[None].float() / torch.iinfo(picture.dtype).max
