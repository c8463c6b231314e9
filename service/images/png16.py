"""PNG of 16 bits for each channel, which Pillow reads but does not write (PNG, third edition)."""

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_COLOUR_TYPES = {3: 2, 4: 6}  # channels: RGB, RGB with alpha (table 11.1)
_PAETH = 4
_ROWS = 64
_LEVEL = 1  # larger files than level 6, in a fraction of the time


def encode_png16(pixels: NDArray[np.uint16], options: Mapping[str, Any]) -> bytes:
    """Encode a picture.

    Args:
        pixels: (H, W, 3), or (H, W, 4) with alpha.
        options: of Pillow's save(), for the chunks beside the pixels: Pillow writes them.
    """
    height, width, channels = pixels.shape
    packer = zlib.compressobj(_LEVEL)
    packed = b"".join([*(packer.compress(rows) for rows in _filtered(pixels)), packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0)
    return b"".join(_exchanged(_small(channels, options), {b"IHDR": header, b"IDAT": packed}))


def _filtered(pixels: NDArray[np.uint16]) -> Iterator[bytes]:
    """The rows as they are packed, each with the number of its filter before it (9.2, 9.4)."""
    height, width, channels = pixels.shape
    left = 2 * channels  # bytes to the pixel before
    above = np.zeros((1, left + 2 * width * channels), np.int16)
    for top in range(0, height, _ROWS):
        rows = pixels[top : top + _ROWS].astype(">u2").view(np.uint8).reshape(-1, 2 * width * channels)
        padded = np.pad(rows.astype(np.int16), ((0, 0), (left, 0)))
        x, a = padded[:, left:], padded[:, :-left]
        upper = np.concatenate([above, padded[:-1]])
        b, c = upper[:, left:], upper[:, :-left]
        to_a, to_b, to_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
        nearest = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
        yield np.pad((x - nearest).astype(np.uint8), ((0, 0), (1, 0)), constant_values=_PAETH).tobytes()
        above = padded[-1:]


def _small(channels: int, options: Mapping[str, Any]) -> bytes:
    """A PNG of one pixel with the chunks that are wanted."""
    out = io.BytesIO()
    Image.new("RGBA" if channels == 4 else "RGB", (1, 1)).save(out, "png", **options)
    return out.getvalue()


def _exchanged(data: bytes, bodies: Mapping[bytes, bytes]) -> Iterator[bytes]:
    """The file, chunk by chunk, some of them with another body (5.3)."""
    yield data[:8]
    start = 8
    while start < len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        body = bodies.get(kind, data[start + 8 : start + 8 + length])
        yield struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        start += 12 + length
