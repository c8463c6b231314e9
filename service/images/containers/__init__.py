"""What is looked at in a file before a decoder is let loose on it: its pieces, never its pixels.

The width and height of a header say what a decoder should need. A hostile file makes it need more: a million empty
pieces, text that unpacks to megabytes, a small picture whose coded data are a huge one, a thousand passes over all
of it. Here is what tells such files from pictures, one module for each container.
"""

import io
from contextlib import suppress

from service.images.containers import avif, jpeg, png, tiff, webp
from service.images.containers.pieces import TooManyPiecesError
from service.images.errors import TooManyPixels

__all__ = ["TooManyPiecesError", "jpeg", "screen", "unread_kind"]

# Colour, transparency, and something smaller: a thumbnail, a gain map.
_CODED_PICTURES = 3


def screen(data: bytes, name: str, max_pixels: int) -> io.BytesIO:
    """The file as a decoder should read it: without what it does not need, and not more often than is needed.

    Args:
        data: a file.
        name: its format, as `sniff` tells it.
        max_pixels: the most pixels that a picture may have.

    Raises:
        TooManyPixels: the data code far more than `max_pixels`, whatever the header says.
        TooManyPiecesError: it is made of more pieces than a picture of its size.
        ValueError: it is not what `name` says, or cut short.
    """
    match name:
        case "PNG":
            return io.BytesIO(png.essential(data))
        case "JPEG":
            jpeg.check_scans(data)
            return jpeg.HeaderFile(data)
        case "WebP":
            webp.check_chunks(data)
        case "TIFF":
            tiff.check(data)
        case "AVIF":
            coded = avif.coded_pixels(data)
            if coded > _CODED_PICTURES * max_pixels:
                raise TooManyPixels(max_pixels, coded)
    return io.BytesIO(data)


def unread_kind(data: bytes, name: str) -> str | None:
    """What a file is that could not be decoded, where it may be valid and no decoder here reads its kind.

    Args:
        data: a file.
        name: its format, as `sniff` tells it.
    """
    match name:
        case "PNG" if png.is_cgbi(data):
            return "PNG from the inside of an iOS app (CgBI)"
        case "TIFF":
            return tiff.unread_kind(data)
        case "JPEG":
            with suppress(TooManyPiecesError):  # then it is no valid file
                return jpeg.unread_kind(data)
    return None
