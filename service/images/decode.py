"""Bytes that somebody sent, to an upright 8-bit sRGB picture, or to one sentence about why not."""

import io
import re
import warnings
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from service.images.colour import Conversion, to_srgb
from service.images.errors import BrokenImage, TooManyPixels, TooSmall, UnsupportedFormat
from service.images.formats import ACCEPTED, Format, sniff

# Pillow refuses pictures beyond twice its own limit whatever ours is, which is as well.
_PILLOW_LIMIT = 178_956_970
_ORIENTATION = 0x0112  # Exif 2.32, table 4
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Phones put two frames and more into a JPEG (a depth map, the other eye): the first is the picture.
_FORMATS: dict[str, Format] = {"JPEG": "jpeg", "MPO": "jpeg", "PNG": "png", "WEBP": "webp", "AVIF": "avif"}


@dataclass(frozen=True)
class Decoded:
    """A picture as the service works with it.

    Attributes:
        rgb: (3, H, W), uint8, sRGB.
        alpha: (1, H, W), uint8, not premultiplied; None if the picture is opaque.
        format: what it came as.
        size: (width, height), upright.
        icc: whether a colour profile was converted from, or ignored because it is broken.
    """

    rgb: Tensor
    alpha: Tensor | None
    format: Format
    size: tuple[int, int]
    icc: Conversion


def decode(data: bytes, *, max_pixels: int = 40_000_000, min_side: int = 16) -> Decoded:
    """Decode a picture: upright, in sRGB, 8 bits, and of an animation the first frame.

    The format is told by the content. The size is read from the header and refused before anything is decoded.

    Args:
        data: a JPEG, PNG, WebP or AVIF file.
        max_pixels: the most pixels (width times height) that are decoded; beyond 179 megapixels Pillow's own
            limit holds.
        min_side: the least width and height.

    Raises:
        UnsupportedFormat: the bytes are something else.
        BrokenImage: it cannot be decoded.
        TooManyPixels: there are more than `max_pixels`.
        TooSmall: a side is shorter than `min_side`.
    """
    # Pillow warns about odd metadata and about large pictures, which we judge ourselves. Not catch_warnings():
    # it changes the filters of all threads, and puts back what another thread has set meanwhile.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    with _open(data, max_pixels) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise TooManyPixels(max_pixels, width * height)
        if min(width, height) < min_side:
            raise TooSmall(min_side, min(width, height))
        try:
            image.load()
            colours, alpha = _split(image)
            rgb, icc = to_srgb(colours, image.info.get("icc_profile"))
            turn = _UPRIGHT.get(_orientation(image))
            if turn is not None:
                rgb = rgb.transpose(turn)
                alpha = alpha and alpha.transpose(turn)
        except Exception as error:  # hostile files make decoders raise anything, SyntaxError included
            raise _broken(data) from error
        return Decoded(
            rgb=_tensor(rgb),
            alpha=None if alpha is None else _tensor(alpha),
            format=_FORMATS[cast(str, image.format)],
            size=rgb.size,
            icc=icc,
        )


def _open(data: bytes, max_pixels: int) -> Image.Image:
    """Read the header."""
    try:
        return Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP", "AVIF"))
    except Image.DecompressionBombError as error:
        found = re.search(r"\d+", str(error))
        actual = int(found[0]) if found else _PILLOW_LIMIT + 1
        raise TooManyPixels(min(max_pixels, _PILLOW_LIMIT), actual) from error
    except Exception as error:  # see decode()
        name = sniff(data)
        if name in ACCEPTED:
            raise _broken(data) from error
        what = "empty" if not data else name or "no picture that is known here"
        raise UnsupportedFormat(f"the file is {what}: send JPEG, PNG, WebP or AVIF") from error


def _broken(data: bytes) -> BrokenImage:
    return BrokenImage(
        f"the {sniff(data) or 'picture'} file is damaged or cut short: send it again, or save it anew"
    )


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a picture with odd metadata is still a picture
        return 1


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Part a picture of any mode into colours (mode L, RGB or CMYK, 8 bits) and alpha (L; None if opaque)."""
    if image.mode.startswith("I"):
        return _split_16_bits(image)
    if image.has_transparency_data:
        # Also a palette with transparent entries, and one colour that stands for "nothing here".
        grey = image.mode in ("1", "L", "LA")
        whole = image.convert("LA" if grey else "RGBA")
        alpha = whole.getchannel("A")
        opaque = alpha.getextrema() == (255, 255)
        return (whole.getchannel("L") if grey else whole.convert("RGB")), (None if opaque else alpha)
    if image.mode in ("L", "RGB", "CMYK"):
        return image, None
    return image.convert("L" if image.mode == "1" else "RGB"), None


def _split_16_bits(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Scale grey from 0-65535 to 0-255; Pillow's own conversion clips at 255."""
    levels = np.asarray(image).astype(np.uint32)
    grey = Image.fromarray(((levels.clip(0, 65535) * 255 + 32767) // 65535).astype(np.uint8))
    nothing = image.info.get("transparency")  # the level that stands for "nothing here"
    if not isinstance(nothing, int):
        return grey, None
    return grey, Image.fromarray(np.where(levels == nothing, 0, 255).astype(np.uint8))


def _tensor(image: Image.Image) -> Tensor:
    pixels = np.array(image)  # a copy: torch needs memory that it may write to
    channels = pixels[..., None] if pixels.ndim == 2 else pixels
    return torch.from_numpy(channels).permute(2, 0, 1).contiguous()
