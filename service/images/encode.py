"""An sRGB picture to the bytes that go out: the pixels, the sRGB profile, and the metadata that are given."""

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from service.images.colour import srgb_profile
from service.images.formats import Format
from service.images.metadata import Metadata, exif_data, packet
from service.images.png16 import encode_png16

if TYPE_CHECKING:  # the decoders' processes import this package, and must not import torch
    from torch import Tensor

NOTHING = Metadata()
_QUALITY: dict[Format, int] = {"jpeg": 92, "webp": 90, "avif": 80}


def encode(
    rgb: "Tensor",
    format: Format,  # noqa: A002
    *,
    quality: int | None = None,
    alpha: "Tensor | None" = None,
    metadata: Metadata = NOTHING,
) -> bytes:
    """Encode a picture. The same picture gives the same bytes.

    Args:
        rgb: (3, H, W), sRGB; on any device. uint8, or for a PNG of 16 bits uint16.
        format: "png" (lossless), "jpeg" (4:4:4), "webp" or "avif" (4:4:4).
        quality: 1 to 100; by default 92 for JPEG, 90 for WebP, 80 for AVIF. PNG has none, and ignores it.
        alpha: (1, H, W), uint8, not premultiplied. JPEG has none: the picture is laid on
            white. Elsewhere what is not seen at all is black.
        metadata: what the file says beside its pixels.

    Raises:
        ValueError: a tensor has another shape or type, or the quality is out of range.
    """
    planes = _planes("rgb", rgb, 3, rgb)
    deep = planes.dtype == np.uint16
    if deep and format != "png":
        raise ValueError(f"{format} has no 16 bits: choose png")
    if alpha is not None:
        opacity = _planes("alpha", alpha, 1, rgb)
        if format == "jpeg":
            planes = on_white(rgb.cpu(), alpha.cpu()).numpy()
        else:  # nothing is hidden under what nobody sees
            planes = np.concatenate(
                [planes * (opacity > 0), opacity.astype(planes.dtype) * (257 if deep else 1)]
            )
    return encode_planes(planes, format, quality=quality, metadata=metadata)


def encode_planes(
    planes: NDArray[np.uint8] | NDArray[np.uint16],
    format: Format,  # noqa: A002
    *,
    quality: int | None = None,
    metadata: Metadata = NOTHING,
) -> bytes:
    """As `encode`, for an array (3, H, W), or (4, H, W) with alpha, uint8 or for a PNG of 16 bits uint16."""
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
    pixels = np.ascontiguousarray(planes.transpose(1, 2, 0))
    options |= {"icc_profile": srgb_profile()} | _saved(metadata, format)
    if pixels.dtype == np.uint16:
        return encode_png16(pixels.astype(np.uint16, copy=False), options)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format, **options)
    return out.getvalue()


def _saved(metadata: Metadata, format: Format) -> dict[str, Any]:  # noqa: A002
    """Metadata as options of Pillow's save(), none of which is empty."""
    xmp, exif = packet(metadata), exif_data(metadata)
    options: dict[str, Any] = {"exif": exif} if exif else {}
    if xmp and format == "png":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())
    elif xmp:
        options["xmp"] = xmp
    if metadata.dpi is not None and format in ("png", "jpeg"):
        options["dpi"] = (metadata.dpi, metadata.dpi)
    return options


def on_white(rgb: "Tensor", alpha: "Tensor") -> "Tensor":
    """A picture on white paper, as viewers show it.

    Args:
        rgb: uint8 (3, H, W).
        alpha: uint8 (1, H, W), not premultiplied.

    Returns:
        uint8 (3, H, W).
    """
    a = alpha.int()
    mixed: Tensor = (rgb.int() * a + 255 * (255 - a) + 127) // 255
    return mixed.byte()


def _planes(name: str, picture: "Tensor", channels: int, rgb: "Tensor") -> NDArray[np.uint8]:
    """The array of a tensor that must have so many channels, and the sides of another."""
    planes: NDArray[np.uint8] = picture.detach().cpu().numpy()
    types = (np.uint8, np.uint16) if channels == 3 else (np.uint8,)
    if planes.dtype not in types or planes.ndim != 3 or planes.shape != (channels, *rgb.shape[1:]):
        raise ValueError(
            f"{name} must be uint8 of shape ({channels}, H, W), not {picture.dtype} of {planes.shape}"
        )
    return planes
