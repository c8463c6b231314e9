"""PNG: a signature and chunks (PNG, third edition, section 5)."""

import struct

from service.images.containers.pieces import Pieces

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What says how the first picture looks. Not text, which may be packed a thousandfold.
_ESSENTIAL = {b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"IDAT", b"IEND"}


def essential(data: bytes) -> bytes:
    """The file without the chunks that do not matter to its first picture.

    Raises:
        TooManyPiecesError: it has more chunks than a file of its size needs.
    """
    pieces = Pieces(len(data))
    whole = memoryview(data)
    kept = [whole[:8]]
    start = len(SIGNATURE)
    while start + 8 <= len(data):
        pieces.count()
        length, kind = struct.unpack_from(">I4s", data, start)
        end = start + 12 + length  # length, kind, data, checksum
        if kind in _ESSENTIAL:
            kept.append(whole[start:end])
        if kind in (b"IEND", b"fdAT"):  # the frames of an animation come last
            break
        start = end
    return b"".join(kept)
