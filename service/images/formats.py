"""The picture formats that come in and go out, recognised by their first bytes."""

from collections.abc import Mapping
from typing import Literal

Format = Literal["jpeg", "png", "webp", "avif"]
"""What goes out."""

InputFormat = Literal["jpeg", "png", "webp", "avif", "tiff", "heic"]
"""What comes in; HEIC where it has been switched on."""

MEDIA_TYPES: Mapping[Format, str] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "avif": "image/avif",
}

INPUT_FORMATS: Mapping[str, InputFormat] = {
    "JPEG": "jpeg",
    "PNG": "png",
    "WebP": "webp",
    "AVIF": "avif",
    "TIFF": "tiff",
    "HEIC": "heic",
}
"""The names that `sniff` gives to what may come in."""

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}
_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"II+\x00": "BigTIFF",
    b"MM\x00+": "BigTIFF",
    b"%PDF": "PDF",
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
    b"\x00\x00\x00\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"<svg": "SVG",
    b"8BPS": "Photoshop",
}


def sniff(data: bytes) -> str | None:
    """Tell a file's format from its first bytes.

    Returns:
        Its common name ("JPEG", "GIF"), or None if it is not recognised.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        return _sniff_brands(data)
    return next((name for start, name in _SIGNATURES.items() if data.startswith(start)), None)


def _sniff_brands(data: bytes) -> str | None:
    """Of the ISO base media file format (ISO/IEC 14496-12, 4.3): the major brand, and those it is compatible with."""
    end = min(int.from_bytes(data[:4], "big"), 1024)
    brands = {data[8:12]} | {data[at : at + 4] for at in range(16, end, 4)}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIC" if brands & _HEIC_BRANDS else None
