"""What is kept of photographs: by Pillow's own writers, and by hand."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from service.images import Metadata, decode
from service.images.metadata import LARGEST_PACKET, packet
from tests.images.conftest import Save, png_chunk

OWNED = Metadata(("Ada Noon", "Bo Lee"), "© 2026 Ada Noon", "Noon Pictures")
FORMATS = ["PNG", "JPEG", "WebP", "AVIF"]
LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><x>&j;</x>"
)
HOSTILE = {
    "a billion laughs": LAUGHS,
    "10 MB of blanks": b"<x>" + b" " * 10_000_000 + b"</x>",
    "10 MB of elements": b"<x>" + b"<y/>" * 2_500_000 + b"</x>",
    "an external entity": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    "deep": b"<x>" * 60_000,
    "no XML": b"\x00\xff\xfe<",
    "cut short": packet(OWNED)[:300],
}


def exif(**tags: Any) -> bytes:
    data = Image.Exif()
    for name, value in tags.items():
        data[ExifTags.Base[name]] = value
    return data.tobytes()


def with_xmp(save: Save, image: Image.Image, kind: str, xmp: bytes) -> bytes:
    """A file with XMP, of any size where the format has room for it."""
    if kind == "PNG":
        data = save(image, kind)
        chunk = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
        return data[:33] + chunk + data[33:]
    return save(image, kind, xmp=xmp)


def iim(**datasets: bytes) -> bytes:
    """A JPEG segment with IPTC-IIM in a resource of Photoshop's."""
    numbers = {"by_line": 80, "credit": 110, "copyright": 116}
    body = b"".join(
        b"\x1c\x02" + bytes([numbers[name]]) + struct.pack(">H", len(text)) + text
        for name, text in datasets.items()
    )
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(body)) + body + b"\0" * (len(body) % 2)
    segment = b"Photoshop 3.0\0" + resource
    return b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment


@pytest.mark.parametrize("kind", FORMATS)
def test_xmp_is_read_in_every_format(kind: str, photo: Image.Image, save: Save) -> None:
    assert decode(with_xmp(save, photo, kind, packet(OWNED))).metadata == OWNED


def test_xmp_behind_the_pixels_of_a_png_is_read_too(photo: Image.Image, save: Save) -> None:
    data = save(photo, "PNG")
    chunk = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet(OWNED))
    assert decode(data[:-12] + chunk + data[-12:]).metadata == OWNED


@pytest.mark.parametrize("kind", FORMATS)
def test_exif_is_read_in_every_format(kind: str, photo: Image.Image, save: Save) -> None:
    data = save(photo, kind, exif=exif(Artist="Ada Noon", Copyright="Zoë".encode(), XResolution=240))
    assert decode(data).metadata == Metadata(("Ada Noon",), "Zoë", "", 240)


def test_iim_of_photoshop_is_read(photo: Image.Image, save: Save) -> None:
    data = save(photo, "JPEG")
    segment = iim(by_line=b"Ada Noon", credit="Müller".encode("latin-1"), copyright="© Noon".encode())
    assert decode(data[:2] + segment + data[2:]).metadata == Metadata(("Ada Noon",), "© Noon", "Müller")


def test_xmp_comes_before_exif_for_each_property(photo: Image.Image, save: Save) -> None:
    data = save(photo, "JPEG", xmp=packet(Metadata(("Ada",))), exif=exif(Artist="Bo", Copyright="Noon"))
    assert decode(data).metadata == Metadata(("Ada",), "Noon")


def test_the_copyright_of_photographer_and_editor_is_parted_by_a_zero_byte(
    photo: Image.Image, save: Save
) -> None:
    assert decode(save(photo, "JPEG", exif=exif(Copyright=b"Ada\0Bo"))).metadata.rights == "Ada; Bo"


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_resolution_is_that_of_the_header(kind: str, photo: Image.Image, save: Save) -> None:
    assert decode(save(photo, kind, dpi=(300, 300))).metadata.dpi == 300


def test_a_resolution_for_each_centimetre_is_converted(photo: Image.Image, save: Save) -> None:
    assert decode(save(photo, "WebP", exif=exif(XResolution=100, ResolutionUnit=3))).metadata.dpi == 254


@pytest.mark.parametrize("resolution", [0, 10_000, IFDRational(1, 0), IFDRational(0, 0)])
def test_a_resolution_that_makes_no_sense_counts_for_nothing(
    resolution: Any, photo: Image.Image, save: Save
) -> None:
    assert decode(save(photo, "WebP", exif=exif(XResolution=resolution))).metadata.dpi is None


def test_no_resolution_is_made_up(photo: Image.Image, save: Save) -> None:
    assert decode(save(photo, "JPEG")).metadata.dpi is None
    assert decode(save(photo, "JPEG", exif=exif(Artist="Ada"))).metadata.dpi is None


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_xmp_counts_for_nothing(hostile: str, kind: str, photo: Image.Image, save: Save) -> None:
    xmp = HOSTILE[hostile]
    if kind == "JPEG" and len(xmp) > 65_000:
        xmp = xmp[:65_000]  # a segment has no room for more
    assert decode(with_xmp(save, photo, kind, xmp)).metadata == Metadata()


def test_packed_text_of_a_png_is_not_unpacked(photo: Image.Image, save: Save) -> None:
    data = save(photo, "PNG")
    chunk = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(packet(OWNED)))
    assert decode(data[:33] + chunk + data[33:]).metadata == Metadata()


def test_xmp_that_comes_a_thousand_times_is_read_once(photo: Image.Image, save: Save) -> None:
    data = save(photo, "PNG")
    large = packet(OWNED) + b" " * (LARGEST_PACKET - len(packet(OWNED)) - 100)
    chunk = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + large)
    assert decode(data[:33] + 300 * chunk + data[33:]).metadata == OWNED


@pytest.mark.parametrize("body", [b"", b"\0" * 8, b"\0" * 10])
def test_a_malformed_resolution_of_a_png_is_no_reason_to_refuse_it(
    body: bytes, photo: Image.Image, save: Save
) -> None:
    data = save(photo, "PNG")
    assert decode(data[:33] + png_chunk(b"pHYs", body) + data[33:]).metadata == Metadata()


def test_malformed_iim_is_no_reason_to_refuse_a_picture(photo: Image.Image, save: Save) -> None:
    data = save(photo, "JPEG")
    segment = iim(by_line=b"Ada")[:-2] + b"\xff" * 2
    assert decode(data[:2] + segment + data[2:]).size == photo.size


def test_the_file_of_a_position_and_a_thumbnail_is_read_without_them(photo: Image.Image) -> None:
    data = Image.Exif()
    data[ExifTags.Base.Artist] = "Ada"
    data.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 51.0, 24.0)
    out = io.BytesIO()
    photo.save(out, "JPEG", exif=data)
    assert decode(out.getvalue()).metadata == Metadata(("Ada",))
