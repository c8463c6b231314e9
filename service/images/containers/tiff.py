"""TIFF: a directory of tags, and strips of pixels (TIFF 6.0, section 2).

A TIFF may hold almost anything. What is read is what programs for pictures write: the first page, in strips, packed
without loss or not at all. The rest would let far more code at a stranger's file.
"""

import math
import struct
from collections.abc import Mapping

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_STRIPS, _ROWS, _PLANES, _TILES, _SAMPLE_FORMAT, _DNG = 273, 278, 284, 322, 339, 50706
_READ = {_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC}
_READ |= {_STRIPS, _ROWS, _PLANES, _TILES, _SAMPLE_FORMAT, _DNG}
_NUMBERS = {1: "B", 3: "H", 4: "I"}  # BYTE, SHORT, LONG
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_LARGEST = 8  # bytes of one value, of types that nobody knows
_MOST_STRIPS = 1 << 16

_COMPRESSIONS = {1, 5, 8, 32773, 32946}  # none, LZW, deflate, PackBits, deflate by its old number
_OTHER_COMPRESSIONS = {2: "fax", 3: "fax", 4: "fax", 6: "JPEG", 7: "JPEG", 34925: "LZMA", 50000: "Zstandard"}
_WHITE_IS_0, _BLACK_IS_0, _RGB, _PALETTE, _CMYK = 0, 1, 2, 3, 5
_OTHER_COLOURS = {6: "YCbCr", 8: "CIELAB", 9: "CIELAB", 10: "CIELAB"}

Tags = Mapping[int, tuple[int, ...]]


def check(data: bytes) -> None:
    """Look at the directory of the first page.

    Raises:
        ValueError: it has more values or strips than there can be, or is of a kind that is not read.
        struct.error: it is cut short.
    """
    tags = _tags(data)
    if kind := _unread(tags):
        raise ValueError(kind)
    height = tags[_HEIGHT][0]
    strips = math.ceil(height / min(_first(tags, _ROWS, height) or 1, height or 1))
    if len(tags.get(_STRIPS, ())) > min(strips, _MOST_STRIPS):
        raise ValueError("there are more strips than rows")


def unread_kind(data: bytes) -> str | None:
    """The name of a kind of TIFF that is not read here; None if it is an ordinary one, or damaged."""
    try:
        return _unread(_tags(data))
    except (struct.error, ValueError):
        return None


def _tags(data: bytes) -> Tags:
    """Those of the first page that matter here."""
    order = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (entries,) = struct.unpack_from(f"{order}H", data, start)
    tags: dict[int, tuple[int, ...]] = {}
    room = len(data)
    for at in range(start + 2, start + 2 + 12 * entries, 12):
        tag, kind, count, offset = struct.unpack_from(f"{order}HHII", data, at)
        size = count * _SIZES.get(kind, _LARGEST)
        room -= size
        if room < 0:
            raise ValueError("the values of the tags overlap")
        if tag not in _READ:
            continue
        if tag in tags or kind not in _NUMBERS or not count:
            raise ValueError("a tag is there twice, or is no number")
        tags[tag] = struct.unpack_from(
            f"{order}{count}{_NUMBERS[kind]}", data, at + 8 if size <= 4 else offset
        )
    if _WIDTH not in tags or _HEIGHT not in tags:
        raise ValueError("the size is missing")
    return tags


def _first(tags: Tags, tag: int, default: int) -> int:
    return tags.get(tag, (default,))[0]


def _unread(tags: Tags) -> str | None:
    compression = _first(tags, _COMPRESSION, 1)
    photometric = _first(tags, _PHOTOMETRIC, _WHITE_IS_0)
    bits = set(tags.get(_BITS, (1,)))
    if _first(tags, _SUBFILE, 0) & 1 or _DNG in tags:
        return "camera's raw file"
    if compression not in _COMPRESSIONS:
        return f"TIFF with {_OTHER_COMPRESSIONS.get(compression, 'rare')} compression"
    if photometric not in (_WHITE_IS_0, _BLACK_IS_0, _RGB, _PALETTE, _CMYK):
        return f"TIFF with {_OTHER_COLOURS.get(photometric, 'rare')} colours"
    if (
        len(bits) > 1
        or not bits <= {1, 2, 4, 8, 16}
        or set(tags.get(_SAMPLE_FORMAT, (1,))) != {1}
        or (bits == {16} and photometric == _WHITE_IS_0)
    ):
        return "TIFF whose channels have neither 8 nor 16 bits"
    if _first(tags, _PLANES, 1) != 1 or _TILES in tags:
        return "TIFF in tiles or separate planes"
    return None
