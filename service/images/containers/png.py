"""PNG: a signature and chunks (PNG, third edition, section 5)."""

import struct
import zlib

from service.images.containers.pieces import Pieces
from service.images.metadata import LARGEST_PACKET

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What says how the first picture looks, how large it is printed, and whose it is. Of texts, which may be packed a
# thousandfold, only XMP, which is not packed (XMP specification, part 3); not IEND, without which a picture is whole.
_CRITICAL = {b"IHDR", b"PLTE", b"IDAT"}
_ANCILLARY = {b"tRNS", b"iCCP", b"eXIf", b"pHYs", b"iTXt"}
_XMP = b"XML:com.adobe.xmp\x00\x00"
_GREY, _RGB, _PALETTE = 0, 2, 3
_LARGEST_PROFILE = 1 << 20  # Pillow's limit too; those of monitors and cameras are far smaller


def is_cgbi(data: bytes) -> bool:
    """Whether it is what Xcode makes of a PNG: another order of colours, premultiplied, without zlib's header."""
    return data[12:16] == b"CgBI"


def essential(data: bytes) -> bytes:
    """The file without the chunks that do not matter to its first picture.

    As in libpng, an ancillary chunk that is damaged is left out and no reason to refuse the picture. A profile that
    cannot be unpacked is replaced by one that is none, so that it is noticed later on.

    Raises:
        TooManyPiecesError: it has more chunks than a file of its size needs.
    """
    pieces = Pieces(len(data))
    wanted = _ANCILLARY
    whole = memoryview(data)
    kept: list[bytes | memoryview] = [whole[: len(SIGNATURE)]]
    start = len(SIGNATURE)
    while start + 8 <= len(data):
        pieces.count()
        length, kind = struct.unpack_from(">I4s", data, start)
        end = start + 12 + length  # length, kind, body, checksum
        if kind in _CRITICAL:
            kept.append(whole[start:end])
        elif (
            kind in wanted
            and end <= len(data)
            and _checksum(whole[start + 4 : end - 4]) == whole[end - 4 : end]
        ):
            kept.append(_repaired(kind, data[start + 8 : end - 4], data[24:26]))
            if kind == b"iTXt" and kept[-1]:  # Pillow refuses pictures with too much text
                wanted = wanted - {kind}
        elif kind in (b"IEND", b"fdAT"):  # the frames of an animation come last
            break
        start = end
    return b"".join(kept)


def _repaired(kind: bytes, body: bytes, depth_and_type: bytes) -> bytes:
    """An ancillary chunk as Pillow can read it; nothing if there is no sense in it."""
    if kind == b"tRNS":
        body = _transparency(body, *depth_and_type)
    elif kind == b"iCCP" and not _is_profile(body):
        body = b"broken\x00\x00" + zlib.compress(b"broken")
    if not body or (kind == b"pHYs" and len(body) != 9) or (kind == b"iTXt" and not _is_xmp(body)):
        return b""
    return struct.pack(">I", len(body)) + kind + body + _checksum(kind + body)


def _checksum(kind_and_body: bytes | memoryview) -> bytes:
    return struct.pack(">I", zlib.crc32(kind_and_body))


def _transparency(body: bytes, depth: int, colour_type: int) -> bytes:
    """The body of tRNS (11.3.1.1), its colour in 8 bits where Pillow's pixels have 8; empty if it is malformed.

    Of 16-bit RGB only the upper bytes are left: colours that are nearly the transparent one are transparent too.
    """
    if colour_type == _PALETTE:
        return body if len(body) <= 256 else b""
    if len(body) != {_GREY: 2, _RGB: 6}.get(colour_type):
        return b""
    if colour_type == _GREY and depth in (2, 4):
        (level,) = struct.unpack(">H", body)
        return struct.pack(">H", level % 2**depth * 255 // (2**depth - 1))
    if colour_type == _RGB and depth == 16:
        return struct.pack(">3H", *body[::2])
    return body


def _is_xmp(body: bytes) -> bool:
    """Whether the body of iTXt (11.3.3.4) is XMP, not packed and of a size that is read."""
    return body.startswith(_XMP) and len(body) <= LARGEST_PACKET


def _is_profile(body: bytes) -> bool:
    """Whether the body of iCCP (11.3.2.3) has a name, a known method, and data that unpack to a reasonable size."""
    name, _, rest = body.partition(b"\x00")
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(rest[1:], _LARGEST_PROFILE)
    except zlib.error:
        return False
    return bool(name) and rest[:1] == b"\x00" and unpacker.eof and bool(unpacked)
