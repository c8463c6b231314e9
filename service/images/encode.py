"""An sRGB picture to the bytes that go out: nothing in them but the pixels and the sRGB profile."""

import io
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from service.images.colour import srgb_profile
from service.images.formats import Format

_QUALITY: dict[Format, int] = {"jpeg": 92, "webp": 90, "avif": 80}


def encode(rgb: Tensor, format: Format, *, quality: int | None = None, alpha: Tensor | None = None) -> bytes:  # noqa: A002
    """Encode a picture. The same picture gives the same bytes.

    Args:
        rgb: (3, H, W), uint8, sRGB; on any device.
        format: "png" (lossless), "jpeg" (4:4:4), "webp" or "avif" (4:4:4).
        quality: 1 to 100; by default 92 for JPEG, 90 for WebP, 80 for AVIF. PNG has none, and ignores it.
        alpha: (1, H, W), uint8, not premultiplied. JPEG has none: the picture is laid on
            white. Elsewhere what is not seen at all is black.

    Raises:
        ValueError: a tensor has another shape or type, or the quality is out of range.
    """
    if rgb.dtype != torch.uint8 or rgb.ndim != 3 or rgb.shape[0] != 3:
        raise ValueError(f"rgb must be uint8 of shape (3, H, W), not {rgb.dtype} of {tuple(rgb.shape)}")
    if alpha is not None and (alpha.dtype != torch.uint8 or alpha.shape != (1, *rgb.shape[1:])):
        raise ValueError(f"alpha must be uint8 of shape (1, H, W), not {alpha.dtype} of {tuple(alpha.shape)}")
    if quality is not None and not 1 <= quality <= 100:
        raise ValueError(f"quality must be from 1 to 100, not {quality}")
    options: dict[str, Any]
    match format:
        case "png":
            options = {"compress_level": 1}  # 8 % larger than level 6, in a third of the time
        case "jpeg":
            options = {"subsampling": "4:4:4", "optimize": True}
        case "webp":
            options = {"method": 2}
        case "avif":
            options = {"subsampling": "4:4:4", "speed": 9}
        case _:
            raise ValueError(f"there is no format {format}: choose png, jpeg, webp or avif")
    if format != "png":
        options["quality"] = quality or _QUALITY[format]
    if alpha is not None and format == "jpeg":
        rgb, alpha = on_white(rgb.cpu(), alpha.cpu()), None
    elif alpha is not None:
        rgb = rgb * (alpha.to(rgb.device) > 0)  # nothing is hidden under what nobody sees
    planes = rgb if alpha is None else torch.cat([rgb, alpha])
    pixels = np.ascontiguousarray(planes.detach().cpu().permute(1, 2, 0).numpy())
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format, icc_profile=srgb_profile(), **options)
    return out.getvalue()


def on_white(rgb: Tensor, alpha: Tensor) -> Tensor:
    """A picture on white paper, as viewers show it.

    Args:
        rgb: uint8 (3, H, W).
        alpha: uint8 (1, H, W), not premultiplied.

    Returns:
        uint8 (3, H, W).
    """
    a = alpha.to(torch.int32)
    mixed: Tensor = (rgb.to(torch.int32) * a + 255 * (255 - a) + 127) // 255
    return mixed.to(torch.uint8)
