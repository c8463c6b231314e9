"""Bytes that somebody sent, to an upright 8-bit sRGB picture, or to one sentence about why not."""

import io
import re
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, JpegImagePlugin
from torch import Tensor

from service.images.colour import Conversion, to_srgb
from service.images.containers import TooManyPiecesError, jpeg, screen, unread_kind
from service.images.errors import (
    BrokenImage,
    ImageError,
    Invisible,
    TooManyPixels,
    TooSmall,
    UnsupportedFormat,
)
from service.images.formats import SOURCES, SourceFormat, sniff
from service.images.heic import open_heic

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
_ON_ITS_SIDE = (5, 6, 7, 8)


@dataclass(frozen=True)
class Decoded:
    """A picture as the service works with it.

    Attributes:
        rgb: (3, H, W), uint8, sRGB. Under alpha 0 it has whatever the file has there, which nobody has seen.
        alpha: (1, H, W), uint8, not premultiplied; None if the picture is opaque.
        format: what it came as.
        size: (width, height) of the file's picture, upright; that of `rgb` unless less was wanted.
        icc: whether a colour profile was converted from, or ignored because it is broken.
    """

    rgb: Tensor
    alpha: Tensor | None
    format: SourceFormat
    size: tuple[int, int]
    icc: Conversion


def decode(
    data: bytes,
    *,
    max_pixels: int = 40_000_000,
    min_side: int = 16,
    wanted: int | None = None,
    heic: bool = False,
    managed: bool = True,
) -> Decoded:
    """Decode a picture: upright, in sRGB, 8 bits, and of an animation the first frame.

    The format is told by the content, and only its decoder sees the file. The size is read from the header and
    refused before anything is decoded.

    Args:
        data: a JPEG, PNG, WebP or AVIF file.
        max_pixels: the most pixels (width times height) that are decoded; beyond 179 megapixels Pillow's own
            limit holds.
        min_side: the least width and height.
        wanted: the longest side that the picture will be used at. A JPEG that is far larger is decoded at 1/2,
            1/4 or 1/8 of its size, to no less than twice what is wanted.
        heic: whether HEIC is read too.
        managed: whether the colours are converted to sRGB. Not those that are labels: they stay as they are stored.

    Raises:
        UnsupportedFormat: the bytes are something else.
        BrokenImage: it cannot be decoded.
        TooManyPixels: there are more than `max_pixels`.
        TooSmall: a side is shorter than `min_side`.
        Invisible: nothing of it is seen, and its colours are not labels.
        ImportError: `heic`, and pillow-heif is missing or too old.
    """
    # Pillow warns about odd metadata and about large pictures, which we judge ourselves. Not catch_warnings():
    # it changes the filters of all threads, and puts back what another thread has set meanwhile.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    name = _accepted(data, heic)
    with _open(data, name, max_pixels) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise TooManyPixels(max_pixels, width * height)
        if min(width, height) < min_side:
            raise TooSmall(min_side, min(width, height))
        try:
            whole = _load(image, data, name, wanted, min_side)
            colours, alpha = _split(whole)
            rgb, icc = to_srgb(colours, whole.info.get("icc_profile") if managed else None)
            orientation = _orientation(whole)
        except Exception as error:  # hostile files make decoders raise anything, SyntaxError included
            raise _broken(data, name) from error
    if managed and alpha is not None and not alpha.getbbox():
        raise Invisible
    turn = _UPRIGHT.get(orientation)
    if turn is not None:
        rgb = rgb.transpose(turn)
        alpha = alpha and alpha.transpose(turn)
    return Decoded(
        rgb=_tensor(rgb),
        alpha=None if alpha is None else _tensor(alpha),
        format=SOURCES[name],
        size=(height, width) if orientation in _ON_ITS_SIDE else (width, height),
        icc=icc,
    )


def _accepted(data: bytes, heic: bool) -> str:
    """The name of the file's format, if it may come in."""
    *names, last = [name for name in SOURCES if heic or name != "HEIC"]
    name = sniff(data)
    if name in (*names, last):
        return name
    what = "empty" if not data else name or "no picture that is known here"
    raise UnsupportedFormat(f"the file is {what}: send {', '.join(names)} or {last}")


def _open(data: bytes, name: str, max_pixels: int) -> Image.Image:
    """Read the header."""
    try:
        file = screen(data, name, max_pixels)
        return open_heic(file) if name == "HEIC" else Image.open(file, formats=(name,))
    except (ImageError, ImportError):
        raise
    except TooManyPiecesError as error:
        raise BrokenImage(f"the {name} file {error}: save it anew") from error
    except Image.DecompressionBombError as error:
        found = re.search(r"\d+", str(error))
        actual = int(found[0]) if found else _PILLOW_LIMIT + 1
        raise TooManyPixels(min(max_pixels, _PILLOW_LIMIT), actual) from error
    except Exception as error:  # see decode()
        raise _broken(data, name) from error


def _load(image: Image.Image, data: bytes, name: str, wanted: int | None, min_side: int) -> Image.Image:
    """Decode the pixels of an open file; of a JPEG also where nothing but its end marker is missing."""
    try:
        return _loaded(image, wanted, min_side)
    except OSError:
        if name != "JPEG":
            raise
        ended, filled = jpeg.ended(data)
        pixels = hash(_loaded(Image.open(io.BytesIO(filled), formats=(name,)), wanted, min_side).tobytes())
        whole = _loaded(Image.open(io.BytesIO(ended), formats=(name,)), wanted, min_side)
        if hash(whole.tobytes()) != pixels:
            raise
        return whole


def _loaded(image: Image.Image, wanted: int | None, min_side: int) -> Image.Image:
    if wanted is not None:
        _shrink_on_load(image, wanted, min_side)
    promised = image.size
    image.load()
    if image.size != promised:  # a HEIC picture may turn out to have another than its header says
        raise ValueError(f"{image.size} in place of {promised}")
    return image


def _broken(data: bytes, name: str) -> ImageError:
    if kind := unread_kind(data, name):
        return UnsupportedFormat(
            f"the file is a {kind}, which is not read here: save it as an ordinary {name}"
        )
    return BrokenImage(f"the {name} file is damaged or cut short: send it again, or save it anew")


def _shrink_on_load(image: Image.Image, wanted: int, min_side: int) -> None:
    """Let libjpeg leave out frequencies that shrinking the picture would remove anyway."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return
    scale = 2 * wanted / max(image.size)
    width, height = (max(2 * min_side, round(side * scale)) for side in image.size)
    image.draft(None, (width, height))


def _orientation(image: Image.Image) -> int:
    """Exif's number, 1 if there is none. What XMP says does not count, as in browsers; Pillow would take it."""
    try:
        exif = Image.Exif()
        exif.load(image.info.get("exif", b""))
        return int(exif.get(_ORIENTATION, 1))
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
