"""Pictures made by hand."""

import io
import struct
import zlib
from typing import Any, Protocol

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image


class Save(Protocol):
    """Write a picture to bytes."""

    def __call__(self, image: Image.Image, format: str, **options: Any) -> bytes: ...  # noqa: A002


@pytest.fixture(scope="session")
def save() -> Save:
    def save(image: Image.Image, format: str, **options: Any) -> bytes:  # noqa: A002
        out = io.BytesIO()
        image.save(out, format, **options)
        return out.getvalue()

    return save


@pytest.fixture(scope="session")
def pixels() -> NDArray[np.uint8]:
    """(24, 32, 3): smooth, so that lossy formats keep it, and different in every corner."""
    y, x = np.mgrid[0:24, 0:32]
    return np.stack([40 + 6 * x, 30 + 8 * y, 200 - 3 * x - 2 * y], axis=-1).astype(np.uint8)


@pytest.fixture(scope="session")
def photo(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(pixels)


class RawPng(Protocol):
    """Write a PNG chunk by chunk, for what Pillow does not write."""

    def __call__(
        self, width: int, height: int, depth: int, colour_type: int, rows: bytes, *, chunks: bytes = b""
    ) -> bytes: ...


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.fixture(scope="session")
def raw_png() -> RawPng:
    def raw_png(
        width: int, height: int, depth: int, colour_type: int, rows: bytes, *, chunks: bytes = b""
    ) -> bytes:
        header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
        return (
            b"\x89PNG\r\n\x1a\n"
            + png_chunk(b"IHDR", header)
            + chunks
            + png_chunk(b"IDAT", zlib.compress(rows))
            + png_chunk(b"IEND", b"")
        )

    return raw_png
