"""Whose a photograph is, and how large it is printed: XMP, IPTC-IIM and Exif, in this order for each.

Nothing else is read, so that no position, no serial number and no thumbnail can come through. A picture with odd
metadata is still a picture: what cannot be read counts for nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from PIL import Image, IptcImagePlugin, TiffImagePlugin
from PIL.ImageFile import ImageFile

from service.images.metadata import xmp
from service.images.metadata.kept import MOST_CREATORS, Metadata

_ARTIST, _COPYRIGHT, _X_RESOLUTION, _RESOLUTION_UNIT = 0x013B, 0x8298, 0x011A, 0x0128  # Exif 2.32, 4.6.4
_INCH, _CENTIMETRE = 2, 3
_BY_LINE, _CREDIT, _COPYRIGHT_NOTICE = (2, 80), (2, 110), (2, 116)  # IIM 4.2, chapter 6

Given = TypeVar("Given")
Found = TypeVar("Found")
Credits = tuple[list[str], str, str]
_NONE: Credits = ([], "", "")


def read_metadata(image: Image.Image) -> Metadata:
    """That of a picture whose pixels have been decoded."""
    nothing: Mapping[int, Any] = {}
    tags = _quietly(_tags, image, nothing)
    sources = [
        _quietly(_of_xmp, image, _NONE),
        _quietly(_of_iim, image, _NONE),
        _quietly(_of_tags, tags, _NONE),
    ]
    creators, rights, credit = (
        next((value for value in values if any(value)), "") for values in zip(*sources, strict=True)
    )
    return Metadata.of(
        creators, str(rights), str(credit), _quietly(lambda tags: _dpi(image, tags), tags, None)
    )


def _quietly(read: Callable[[Given], Found], given: Given, nothing: Found) -> Found:
    try:
        return read(given)
    except Exception:  # hostile metadata make libraries raise anything
        return nothing


def _tags(image: Image.Image) -> Mapping[int, Any]:
    """Exif's, which are those of a TIFF too. Not getexif(), which looks into XMP as well."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return image.tag_v2
    exif = Image.Exif()
    exif.load(image.info.get("exif", b""))
    return exif


def _of_xmp(image: Image.Image) -> Credits:
    found = image.info.get("xmp", b"")
    return xmp.parse(found.encode() if isinstance(found, str) else found)


def _of_iim(image: Image.Image) -> Credits:
    assert isinstance(image, ImageFile)
    found = IptcImagePlugin.getiptcinfo(image) or {}

    def texts(dataset: tuple[int, int]) -> list[str]:
        values = found.get(dataset, [])
        return [_text(value) for value in (values if isinstance(values, list) else [values])[:MOST_CREATORS]]

    return texts(_BY_LINE), "".join(texts(_COPYRIGHT_NOTICE)[:1]), "".join(texts(_CREDIT)[:1])


def _of_tags(tags: Mapping[int, Any]) -> Credits:
    return [_text(tags.get(_ARTIST, ""))], _text(tags.get(_COPYRIGHT, "")), ""


def _text(value: str | bytes) -> str:
    """Of bytes that nobody says the encoding of: UTF-8 where it is valid, else Latin-1, which Pillow takes it for.

    A zero byte parts the copyright of the photographer from that of the editor.
    """
    raw = value if isinstance(value, bytes) else value.encode("latin-1", "replace")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return "; ".join(part.strip() for part in text.split("\x00") if part.strip())


def _dpi(image: Image.Image, tags: Mapping[int, Any]) -> float | None:
    resolution, unit = tags.get(_X_RESOLUTION), tags.get(_RESOLUTION_UNIT, _INCH)
    if resolution is not None:
        return float(resolution) * {_INCH: 1.0, _CENTIMETRE: 2.54}[unit]
    # Pillow makes 72 of a JPEG whose Exif data say nothing.
    if image.format == "JPEG" and not image.info.get("jfif_unit"):
        return None
    return float(image.info["dpi"][0])
