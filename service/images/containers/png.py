"""PNG: a signature and chunks (PNG, third edition, section 5)."""

import struct
import zlib

from service.images.containers.pieces import Pieces

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What says how the first picture looks. Not text, which may be packed a thousandfold.
_ESSENTIAL = {b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"IDAT", b"IEND"}


def essential(data: bytes) -> bytes:
    """The file without the chunks that do not matter to its first picture.

    A transparent colour is given in the bits that Pillow compares it in.

    Raises:
        TooManyPiecesError: it has more chunks than a file of its size needs.
    """
    pieces = Pieces(len(data))
    whole = memoryview(data)
    kept: list[bytes | memoryview] = [whole[:8]]
    start = len(SIGNATURE)
    while start + 8 <= len(data):
        pieces.count()
        length, kind = struct.unpack_from(">I4s", data, start)
        end = start + 12 + length  # length, kind, data, checksum
        if kind == b"tRNS":
            kept.append(_transparent_colour(data, start, length))
        elif kind in _ESSENTIAL:
            kept.append(whole[start:end])
        if kind in (b"IEND", b"fdAT"):  # the frames of an animation come last
            break
        start = end
    return b"".join(kept)


def _transparent_colour(data: bytes, start: int, length: int) -> bytes:
    """The tRNS chunk that begins there (11.3.1.1), its colour in 8 bits where Pillow's pixels have 8.

    Of 16-bit RGB only the upper bytes are left: colours that are nearly the transparent one are transparent too.
    """
    depth, colour_type = data[24:26]  # of IHDR, which comes first
    body = data[start + 8 : start + 8 + length]
    if colour_type == 0 and depth in (2, 4) and length == 2:
        body = struct.pack(">H", struct.unpack(">H", body)[0] % 2**depth * 255 // (2**depth - 1))
    elif colour_type == 2 and depth == 16 and length == 6:
        body = struct.pack(">3H", *body[::2])
    else:
        return data[start : start + 12 + length]
    return struct.pack(">I", length) + b"tRNS" + body + struct.pack(">I", zlib.crc32(b"tRNS" + body))
