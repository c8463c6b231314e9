"""The picture formats that come in and go out, recognised by their first bytes."""

from collections.abc import Mapping
from typing import Literal

Format = Literal["jpeg", "png", "webp", "avif"]

MEDIA_TYPES: Mapping[Format, str] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "avif": "image/avif",
}

ACCEPTED = ("JPEG", "PNG", "WebP", "AVIF")

_ISO_BRANDS = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), "HEIC"),
}
_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"%PDF": "PDF",
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
    b"<svg": "SVG",
    b"8BPS": "Photoshop",
}


def sniff(data: bytes) -> str | None:
    """Tell a file's format from its first bytes, for messages only: what is decoded is up to the decoder.

    Returns:
        Its common name ("JPEG", "GIF"), or None if it is not recognised.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":  # ISO base media file format: the major brand follows
        return _ISO_BRANDS.get(data[8:12])
    return next((name for start, name in _SIGNATURES.items() if data.startswith(start)), None)
