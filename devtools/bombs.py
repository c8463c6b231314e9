"""Files that would cost a decoder far more than they cost their sender; all made here, byte by byte."""

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a picture's file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def small(mode: str = "RGB") -> Image.Image:
    """64x64 pixels of one colour."""
    return Image.new("RGB", (64, 64), "teal").convert(mode)


# PNG.


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, *, before: bytes = b"", packed: bytes | None = None, after: bytes = b""
) -> bytes:
    """8-bit RGB; black unless the packed rows are given; with chunks before and after them."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = png_chunk(b"IDAT", zlib.compress(bytes((1 + 3 * 64) * 64)) if packed is None else packed)
    ends = png_chunk(b"IHDR", header) + before, after + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + ends[0] + rows + ends[1]


def png_of_zeros(side: int = 13000) -> bytes:
    """Complete: 493 kB that unpack to 507 MB."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + 3 * side)) for _ in range(side)) + packer.flush()
    return png(side, side, packed=rows)


def png_profile() -> bytes:
    """A colour profile of 50 MB."""
    return png(64, 64, before=png_chunk(b"iCCP", b"profile\x00\x00" + zlib.compress(bytes(50_000_000), 9)))


# JPEG.


def jpeg_of_size(width: int, height: int, **options: Any) -> bytes:
    """64x64 pixels, with another size in the frame header (ITU-T T.81, B.2.2)."""
    data = bytearray(saved(small(), "JPEG", **options))
    frame = data.index(b"\xff\xc2" if options.get("progressive") else b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def jpeg_of_scans(count: int) -> bytes:
    """40 megapixels that the decoder has to pass over again for every scan."""
    data = jpeg_of_size(8000, 5000, progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + scan * count + data[-2:]


def jpeg_with(filling: bytes) -> bytes:
    """64x64 pixels, with this between the start of the file and its first segment."""
    data = saved(small(), "JPEG")
    return data[:2] + filling + data[2:]


# WebP.


def webp_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with its length, padded."""
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def webp_canvas(width: int, height: int, chunks: bytes, flags: int = 0) -> bytes:
    """An extended file (RFC 9649, 2.7) with a canvas of this size."""
    canvas = bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + webp_chunk(b"VP8X", canvas) + chunks
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_of_size(side: int, *, lossless: bool) -> bytes:
    """64x64 pixels, with another size in the frame header (RFC 6386, 9.1; RFC 9649, 3.4)."""
    data = bytearray(saved(small(), "WEBP", lossless=lossless))
    if lossless:
        (bits,) = struct.unpack_from("<I", data, 21)
        struct.pack_into("<I", data, 21, bits & 0xF0000000 | side - 1 | side - 1 << 14)
    else:
        struct.pack_into("<HH", data, 26, side, side)
    return bytes(data)


def webp_frame() -> bytes:
    """The chunk of a 64x64 picture."""
    return saved(small(), "WEBP", lossless=True)[12:]


def webp_animation(frames: int, side: int = 64) -> bytes:
    """Frames of 64x64 pixels on a canvas."""
    frame = webp_chunk(b"ANMF", bytes(6) + (63).to_bytes(3, "little") * 2 + bytes(4) + webp_frame())
    return webp_canvas(side, side, webp_chunk(b"ANIM", bytes(6)) + frame * frames, flags=2)


# AVIF and HEIC.


def claiming(data: bytes, width: int, height: int) -> bytes:
    """With another size in the first box that gives one (ISO/IEC 23008-12, 6.5.3)."""
    changed = bytearray(data)
    struct.pack_into(">II", changed, changed.index(b"ispe") + 8, width, height)
    return bytes(changed)


def avif_larger_than_it_says(side: int = 13000) -> bytes:
    """64x64 pixels according to the box, `side` squared according to the coded data."""
    return claiming(saved(Image.new("L", (side, side)), "AVIF", speed=10), 64, 64)


def avif_of_items(count: int) -> bytes:
    """A list of as many items as there is room for, in a `meta` box of its own."""
    items = struct.pack(">I4sII", 8 + 8 + 20 * count, b"iinf", 1 << 24, count)
    items += b"".join(struct.pack(">I4sIIHH", 20, b"infe", 3 << 24, i, 0, 0) for i in range(count))
    meta = struct.pack(">I4sI", 12 + len(items), b"meta", 0) + items
    return struct.pack(">I4s4sI4s", 20, b"ftyp", b"avif", 0, b"avif") + meta


BOMBS: Mapping[str, Callable[[], bytes]] = {
    "PNG 13000x13000, whole": png_of_zeros,
    "PNG 65000x65000": lambda: png(65000, 65000),
    "PNG 2147483647x2147483647": lambda: png(2**31 - 1, 2**31 - 1),
    "PNG, 100,000 empty chunks": lambda: png(64, 64, before=png_chunk(b"teSt", b"") * 100_000),
    "PNG, 100,000 empty IDAT chunks": lambda: png(64, 64, before=png_chunk(b"IDAT", b"") * 100_000),
    "JPEG 65000x65000": lambda: jpeg_of_size(65000, 65000),
    "JPEG 40 MP, 10,000 scans": lambda: jpeg_of_scans(10_000),
    "JPEG, 100,000 empty comments": lambda: jpeg_with(b"\xff\xfe\x00\x02" * 100_000),
    "JPEG, 400,000 fill bytes": lambda: jpeg_with(b"\xff" * 400_000),
    "WebP 16383x16383, lossy": lambda: webp_of_size(16383, lossless=False),
    "WebP 16383x16383, lossless": lambda: webp_of_size(16383, lossless=True),
    "WebP 13000x13000 canvas, small frame": lambda: webp_canvas(13000, 13000, webp_frame()),
    "WebP 16384x16384 canvas, 1000 frames": lambda: webp_animation(1000, side=16384),
    "WebP, 100,000 empty chunks": lambda: webp_canvas(
        64, 64, webp_chunk(b"teSt", b"") * 100_000 + webp_frame()
    ),
    "AVIF 65000x65000": lambda: claiming(saved(small(), "AVIF"), 65000, 65000),
    "AVIF 13000x13000": lambda: claiming(saved(small(), "AVIF"), 13000, 13000),
    "AVIF 13000x13000 that says 64x64": avif_larger_than_it_says,
    "AVIF, 100,000 items": lambda: avif_of_items(100_000),
}
"""All of them are refused without a look at a pixel."""

HARMLESS: Mapping[str, Callable[[], bytes]] = {
    "PNG, packed text of 50 MB": lambda: png(
        64, 64, before=png_chunk(b"iTXt", b"text\x00\x01\x00\x00\x00" + zlib.compress(bytes(50_000_000), 9))
    ),
    "PNG, 100 packed texts of 1 MB": lambda: png(
        64, 64, before=png_chunk(b"zTXt", b"text\x00\x00" + zlib.compress(bytes(1_000_000), 9)) * 100
    ),
    "PNG, text of 10 MB": lambda: png(64, 64, after=png_chunk(b"tEXt", b"text\x00" + b"a" * 10_000_000)),
    "PNG, profile of 50 MB": png_profile,
    "PNG, Exif data of 10 MB": lambda: png(64, 64, before=png_chunk(b"eXIf", b"MM\x00*" + bytes(10_000_000))),
    "PNG, animation of 2000 frames": lambda: saved(
        small(),
        "PNG",
        save_all=True,
        append_images=[Image.new("RGB", (64, 64), (i % 256, 0, 0)) for i in range(2000)],
    ),
    "JPEG, Exif data of 10 MB": lambda: jpeg_with(
        (b"\xff\xe1\xff\xffExif\x00\x00MM\x00*\x00\x00\x00\x08" + bytes(0xFFFF - 16)) * 160
    ),
    "JPEG, profile of 16 MB": lambda: jpeg_with(
        b"".join(
            b"\xff\xe2\xff\xffICC_PROFILE\x00" + bytes([i + 1, 255]) + bytes(0xFFFF - 16) for i in range(255)
        )
    ),
    "WebP, animation of 20,000 frames": lambda: webp_animation(20_000),
}
"""Huge, but nothing that matters is: they are pictures like others."""
