"""Bytes that somebody sent, to an upright 8-bit sRGB picture, or to one sentence about why not."""

import io
import math
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from service.images.colour import Conversion, to_srgb
from service.images.containers import TooManyPiecesError, jpeg, screen, unread_kind
from service.images.errors import (
    BrokenImage,
    ImageError,
    Invisible,
    TooCostly,
    TooManyPixels,
    TooSmall,
    UnsupportedFormat,
)
from service.images.formats import INPUT_FORMATS, InputFormat, sniff
from service.images.heic import open_heic
from service.images.metadata import Metadata, read_metadata

if TYPE_CHECKING:  # the decoders' processes import this module, and must not import torch
    from torch import Tensor
JPEG_PIXELS = 3
"""Times as many pixels as other formats a JPEG may have, if no more than theirs are left when it is reduced as it is
decoded. The coefficients of a progressive one take up to 6 bytes for each pixel of the file, a PNG with alpha takes
18 (docs/run/memory.md)."""

# Pillow refuses pictures beyond twice its own limit whatever ours is, which is as well.
_PILLOW_LIMIT = 178_956_970
_STRAY = 8  # bytes that a picture may be looked for behind: a byte order mark, line breaks
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
class Pixels:
    """A picture as it comes from a decoder; see `Decoded`, which has the same as tensors."""

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None
    format: InputFormat
    size: tuple[int, int]
    icc: Conversion
    metadata: Metadata = field(default_factory=Metadata)


@dataclass(frozen=True)
class Decoded:
    """A picture as the service works with it.

    Attributes:
        rgb: (3, H, W), uint8, sRGB. Under alpha 0 it has whatever the file has there, which nobody has seen.
        alpha: (1, H, W), uint8, not premultiplied; None if the picture is opaque.
        format: what it came as.
        size: (width, height) of the file's picture, upright; that of `rgb` unless less was wanted.
        icc: whether a colour profile was converted from, or ignored because it is broken.
        metadata: whose it is, and how large it is printed.
    """

    rgb: "Tensor"
    alpha: "Tensor | None"
    format: InputFormat
    size: tuple[int, int]
    icc: Conversion
    metadata: Metadata = field(default_factory=Metadata)

    @classmethod
    def of(cls, pixels: Pixels) -> "Decoded":
        """With tensors, which share the memory of pixels that are contiguous."""
        import torch

        rgb = torch.from_numpy(np.ascontiguousarray(pixels.rgb))
        alpha = None if pixels.alpha is None else torch.from_numpy(np.ascontiguousarray(pixels.alpha))
        return cls(rgb, alpha, pixels.format, pixels.size, pixels.icc, pixels.metadata)


def decode(
    data: bytes,
    *,
    max_pixels: int = 40_000_000,
    min_side: int = 16,
    wanted: int | None = None,
    heic: bool = False,
    managed: bool = True,
) -> Decoded:
    """Decode a picture in this process; see `read_pixels`."""
    return Decoded.of(
        read_pixels(data, max_pixels=max_pixels, min_side=min_side, wanted=wanted, heic=heic, managed=managed)
    )


def read_pixels(
    data: bytes,
    *,
    max_pixels: int = 40_000_000,
    min_side: int = 16,
    wanted: int | None = None,
    heic: bool = False,
    managed: bool = True,
) -> Pixels:
    """Decode a picture: upright, in sRGB, 8 bits, and of an animation the first frame.

    The format is told by the content, and only its decoder sees the file. The size is read from the header and
    refused before anything is decoded.

    Args:
        data: a JPEG, PNG, WebP, AVIF or TIFF file.
        max_pixels: the most pixels (width times height) that are decoded. A JPEG may have JPEG_PIXELS times as many
            where no more than `max_pixels` are left when it is reduced. Beyond 179 megapixels Pillow's own limit
            holds.
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
        TooCostly: its decoder needs more memory than there is.
        ImportError: `heic`, and pillow-heif is missing or too old.
    """
    # Pillow warns about odd metadata and about large pictures, which we judge ourselves. Not catch_warnings():
    # it changes the filters of all threads, and puts back what another thread has set meanwhile.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    name = _accepted(data, heic)
    with _open(data, name, max_pixels) as image:
        width, height = image.size
        _require_few_pixels(data, name, width * height, max_pixels)
        if min(width, height) < min_side:
            raise TooSmall(min_side, min(width, height))
        try:
            whole = _load(image, data, name, partial(_shrink_on_load, wanted, min_side, max_pixels))
            colours, alpha = _split(whole)
            rgb, icc = to_srgb(colours, whole.info.get("icc_profile") if managed else None)
            orientation = _orientation(whole)
            metadata = read_metadata(whole)
        except ImageError:
            raise
        except MemoryError:
            raise TooCostly("memory") from None
        except Exception as error:  # hostile files make decoders raise anything, SyntaxError included
            raise _broken(data, name) from error
    if managed and alpha is not None and not alpha.getbbox():
        raise Invisible
    turn = _UPRIGHT.get(orientation)
    if turn is not None:
        rgb = rgb.transpose(turn)
        alpha = alpha and alpha.transpose(turn)
    return Pixels(
        rgb=_planes(rgb),
        alpha=None if alpha is None else _planes(alpha),
        format=INPUT_FORMATS[name],
        size=(height, width) if orientation in _ON_ITS_SIDE else (width, height),
        icc=icc,
        metadata=metadata,
    )


def _accepted(data: bytes, heic: bool) -> str:
    """The name of the file's format, if it may come in."""
    *names, last = [name for name in INPUT_FORMATS if heic or name != "HEIC"]
    name = sniff(data)
    if name in (*names, last):
        return name
    later = next(
        (found for at in range(1, _STRAY) if (found := sniff(data[at : at + 1024])) in (*names, last)), None
    )
    if name is None and later is not None:
        raise UnsupportedFormat(
            f"the file begins with something else before a {later} begins: send its bytes as they are, not as text"
        )
    what = "empty" if not data else name or "not a picture that the service can read"
    raise UnsupportedFormat(f"the file is {what}: send {', '.join(names)} or {last}")


def _open(data: bytes, name: str, max_pixels: int) -> Image.Image:
    """Read the header."""
    try:
        file = screen(data, name, max_pixels)
        return open_heic(file) if name == "HEIC" else Image.open(file, formats=(name,))
    except (ImageError, ImportError):
        raise
    except MemoryError:
        raise TooCostly("memory") from None
    except TooManyPiecesError as error:
        raise _complicated(name, error) from error
    except Image.DecompressionBombError as error:
        found = re.search(r"\d+", str(error))
        actual = int(found[0]) if found else _PILLOW_LIMIT + 1
        raise TooManyPixels(min(max_pixels, _PILLOW_LIMIT), actual) from error
    except Exception as error:  # see decode()
        raise _broken(data, name) from error


def _require_few_pixels(data: bytes, name: str, pixels: int, max_pixels: int) -> None:
    """Refuse a file that would take too much memory or time, from its header.

    Raises:
        TooManyPixels: it has more pixels than its format may have.
        BrokenImage: it is a JPEG that passes over so many pixels too often.
    """
    if pixels <= max_pixels:
        return
    most = JPEG_PIXELS * max_pixels if name == "JPEG" else max_pixels
    if pixels > most:
        raise TooManyPixels(most, pixels)
    try:
        jpeg.check_scans(data, jpeg.MOST_SCANS * max_pixels // pixels)
    except TooManyPiecesError as error:
        raise _complicated(name, error) from error


def _load(image: Image.Image, data: bytes, name: str, shrink: Callable[[Image.Image], None]) -> Image.Image:
    """Decode the pixels of an open file; of a JPEG also where nothing but its end marker is missing."""
    try:
        return _loaded(image, shrink)
    except OSError:
        if name != "JPEG":
            raise
        ended, filled = jpeg.ended(data)
        pixels = hash(_loaded(Image.open(io.BytesIO(filled), formats=(name,)), shrink).tobytes())
        whole = _loaded(Image.open(io.BytesIO(ended), formats=(name,)), shrink)
        if hash(whole.tobytes()) != pixels:
            raise
        return whole


def _loaded(image: Image.Image, shrink: Callable[[Image.Image], None]) -> Image.Image:
    shrink(image)
    promised = image.size
    xmp = image.info.pop("xmp", None)  # by which Pillow would turn a TIFF
    image.load()
    if xmp is not None:
        image.info["xmp"] = xmp
    if image.size != promised:  # a HEIC picture may turn out to have another than its header says
        raise ValueError(f"{image.size} in place of {promised}")
    return image


def _complicated(name: str, error: TooManyPiecesError) -> BrokenImage:
    return BrokenImage(f"the {name} file {error}: save it again")


def _broken(data: bytes, name: str) -> ImageError:
    if kind := unread_kind(data, name):
        return UnsupportedFormat(
            f"the file is a {kind}, which is not read here: save it as an ordinary {name}"
        )
    return BrokenImage(f"the {name} file is damaged or cut short: send it again, or save it again")


def _shrink_on_load(wanted: int | None, min_side: int, max_pixels: int, image: Image.Image) -> None:
    """Let libjpeg leave out frequencies that shrinking the picture would remove anyway.

    Raises:
        TooManyPixels: more pixels than `max_pixels` would be left.
    """
    if wanted is not None and isinstance(image, JpegImagePlugin.JpegImageFile):
        width, height = image.size
        # Less than twice what is wanted, and even less than that, only where it would be too many.
        for times in (2, 1, 0.5):
            scale = times * wanted / max(width, height)
            least = [max(2 * min_side, round(side * scale)) for side in (width, height)]
            if width * height <= max_pixels * _reduction(image.size, least) ** 2:
                break
        image.draft(None, (least[0], least[1]))
    if math.prod(image.size) > max_pixels:
        raise TooManyPixels(max_pixels, math.prod(image.size))


def _reduction(size: Sequence[int], least: Sequence[int]) -> int:
    """By how much libjpeg reduces each side, 1, 2, 4 or 8, where so much has to be left of each."""
    most = min(side // left for side, left in zip(size, least, strict=True))
    return next((factor for factor in (8, 4, 2) if factor <= most), 1)


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
        grey = image.mode in ("1", "L", "LA", "La")
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


def _planes(image: Image.Image) -> NDArray[np.uint8]:
    """(channels, H, W); not contiguous, so that they are put in order where they are copied to."""
    pixels = np.array(image)  # a copy: torch needs memory that it may write to
    channels: NDArray[np.uint8] = pixels[..., None] if pixels.ndim == 2 else pixels
    return channels.transpose(2, 0, 1)
