"""Pictures with transparency: resized by what is seen of them; what is hidden is filled in from what is seen near it.

Under alpha 0 a file may have any colours: black, white, the background that was cut away. Nobody has seen them, but
an ordinary filter mixes them into the edge, and the network sees them. Nothing may depend on them.
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

FAINT = 8
"""Of 255: below it a colour is hardly seen, and after resizing it is mostly rounding. It is blended with the colours
near it, the more the fainter it is."""


def resize(
    rgb: Tensor, alpha: Tensor, size: tuple[int, int], box: tuple[int, int, int, int] | None = None
) -> tuple[Tensor, Tensor]:
    """Resample with Pillow's Lanczos filter. Colours count by their alpha (premultiplied; Porter & Duff 1984).

    Args:
        rgb: uint8 (3, h, w).
        alpha: uint8 (1, h, w), not premultiplied.
        size: (H, W) wanted.
        box: of what part, (left, top, right, bottom); the filter sees what is around it. None: of all.

    Returns:
        uint8 (3, H, W), with black where nothing is seen, and uint8 (1, H, W), not premultiplied.
    """
    if box is None and tuple(rgb.shape[-2:]) == size:
        return rgb, alpha
    cover = alpha[0].numpy().astype(np.float32)
    share = _lanczos(cover, size, box)
    # Plane by plane and in float32: 8 bits of a premultiplied colour that is hardly seen are too few to get it back.
    planes = [_lanczos(plane.numpy() * cover, size, box) / share.clip(0.5) for plane in rgb]
    resized = np.where(share < 0.5, 0, np.stack(planes))
    return _quantised(resized), _quantised(share[None])


def fill(rgb: Tensor, alpha: Tensor) -> Tensor:
    """Give what is hidden the colours of what is seen near it, which stays as it is.

    Pull-push (Gortler, Grzeszczuk, Szeliski & Cohen 1996, "The Lumigraph", section 3.4): means of what is seen at
    half the size, a quarter and so on, then back, each level filling the holes of the next finer one.

    Args:
        rgb: uint8 (3, H, W).
        alpha: uint8 (1, H, W), somewhere above 0.

    Returns:
        uint8 (3, H, W).
    """
    weight = (alpha[None].float() / FAINT).clamp(max=1)
    if weight.min() == 1:
        return rgb
    return _filled(rgb[None].float(), weight)[0].round().clamp(0, 255).to(torch.uint8)


def _filled(colours: Tensor, weight: Tensor) -> Tensor:
    """(1, 3, H, W), the less a pixel's weight, (1, 1, H, W) in [0, 1], the more from the pixels near it."""
    size = colours.shape[-2:]
    if max(size) == 1:
        return colours
    share = _halved(weight)
    means = _halved(colours * weight) / share.clamp(min=torch.finfo(share.dtype).tiny)
    near = F.interpolate(_filled(means, share), size=tuple(size), mode="bilinear", align_corners=False)
    return near.lerp(colours, weight)


def _halved(plane: Tensor) -> Tensor:
    return F.avg_pool2d(plane, 2, ceil_mode=True, count_include_pad=False)


def _lanczos(
    plane: NDArray[np.float32], size: tuple[int, int], box: tuple[int, int, int, int] | None
) -> NDArray[np.float32]:
    image = Image.fromarray(plane)
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.LANCZOS, box, reducing_gap=3.0))


def _quantised(levels: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(levels.round().clip(0, 255).astype(np.uint8))
