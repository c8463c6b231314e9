"""TIFF, which is read as far as programs for pictures write it."""

import struct
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from service.images import BrokenImage, Metadata, TooManyPixels, UnsupportedFormat, decode
from service.images.metadata import packet
from tests.images.conftest import Save

COMPRESSIONS = ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]
LONG, SHORT, BYTE = 4, 3, 1


def tiff(order: str = "<", pixels: bytes = b"\x80" * 32 * 24 * 3, **changes: Any) -> bytes:
    """A TIFF of 32x24 px tag by tag; a change is a list of numbers, or None for no such tag."""
    numbers = {
        "subfile": 254,
        "width": 256,
        "height": 257,
        "bits": 258,
        "compression": 259,
        "photometric": 262,
    }
    numbers |= {
        "strips": 273,
        "samples": 277,
        "rows": 278,
        "counts": 279,
        "planes": 284,
        "tiles": 322,
        "dng": 50706,
    }
    tags: dict[str, Any] = {
        "width": [32],
        "height": [24],
        "bits": [8, 8, 8],
        "compression": [1],
        "photometric": [2],
    }
    tags |= {"strips": [8], "samples": [3], "rows": [24], "counts": [len(pixels)], "planes": [1]} | changes
    present = sorted((numbers[name], values) for name, values in tags.items() if values is not None)
    directory = 8 + len(pixels)
    more = directory + 2 + 12 * len(present) + 4
    entries, rest = b"", b""
    for number, values in present:
        body = struct.pack(f"{order}{len(values)}I", *values)
        if len(body) > 4:
            body, rest = struct.pack(f"{order}I", more + len(rest)), rest + body
        entries += struct.pack(f"{order}HHI", number, LONG, len(values)) + body
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", directory)
    return header + pixels + struct.pack(f"{order}H", len(present)) + entries + bytes(4) + rest


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "CMYK", "1"])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_what_programs_write_is_read(compression: str, mode: str, photo: Image.Image, save: Save) -> None:
    image = photo.convert(mode)
    read = decode(save(image, "TIFF", compression=compression))
    expected = np.asarray(image.convert("RGB"))
    assert (read.format, read.size) == ("tiff", photo.size)
    assert np.array_equal(read.rgb.permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_orders_of_bytes_are_read(order: str) -> None:
    assert set(decode(tiff(order)).rgb.flatten().tolist()) == {0x80}


def test_16_bits_of_grey_are_scaled(save: Save) -> None:
    levels = np.linspace(0, 65535, 32 * 24).astype(np.uint16).reshape(24, 32)
    read = decode(save(Image.fromarray(levels), "TIFF"))
    assert np.array_equal(read.rgb[0].numpy(), ((levels.astype(int) * 255 + 32767) // 65535).astype(np.uint8))


def test_16_bits_of_colour_are_read() -> None:
    read = decode(tiff(pixels=b"\x34\x12" * 32 * 24 * 3, bits=[16, 16, 16]))
    assert set(read.rgb.flatten().tolist()) == {0x12}


def test_of_several_pages_the_first_is_read(photo: Image.Image, save: Save) -> None:
    pages = save(photo, "TIFF", save_all=True, append_images=[Image.new("RGB", (640, 480))] * 3)
    assert torch.equal(decode(pages).rgb, decode(save(photo, "TIFF")).rgb)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_comes_out_upright(orientation: int, photo: Image.Image, save: Save) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    turned, expected = (decode(save(photo, kind, exif=exif)) for kind in ("TIFF", "PNG"))
    assert turned.size == expected.size
    assert torch.equal(turned.rgb, expected.rgb)


def test_what_xmp_says_of_its_orientation_does_not_count(photo: Image.Image, save: Save) -> None:
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    assert decode(save(photo, "TIFF", tiffinfo={700: xmp})).size == photo.size


def test_its_owner_and_its_resolution_are_kept(photo: Image.Image, save: Save) -> None:
    xmp = packet(Metadata(credit="Noon Pictures"))
    data = save(photo, "TIFF", dpi=(300, 300), tiffinfo={700: xmp, 315: "Ada", 33432: "© Ada".encode()})
    assert decode(data).metadata == Metadata(("Ada",), "© Ada", "Noon Pictures", 300)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"compression": [7]}, "a TIFF with JPEG compression"),
        ({"compression": [4]}, "a TIFF with fax compression"),
        ({"compression": [50000]}, "a TIFF with Zstandard compression"),
        ({"photometric": [8]}, "a TIFF with CIELAB colours"),
        ({"bits": [32, 32, 32]}, "a TIFF whose channels have neither 8 nor 16 bits"),
        ({"planes": [2]}, "a TIFF in tiles or separate planes"),
        ({"tiles": [16]}, "a TIFF in tiles or separate planes"),
        ({"subfile": [1]}, "a camera's raw file"),
        ({"dng": [1]}, "a camera's raw file"),
    ],
)
def test_a_kind_that_is_not_read_is_named(changes: dict[str, Any], kind: str) -> None:
    sentence = f"the file is {kind}, which is not read here: save it as an ordinary TIFF"
    with pytest.raises(UnsupportedFormat, match=sentence):
        decode(tiff(**changes))


@pytest.mark.parametrize(
    "data",
    [
        tiff()[:100],
        tiff()[:8] + b"\xff" * 4000,
        tiff(width=None),
        tiff(height=[0]),
        tiff(strips=[8] * 25, rows=[1]),
        tiff(strips=[8] * 70_000, rows=[1], height=[70_000]),
        tiff(rows=[0], strips=[8] * 25),
        tiff(strips=None),
        tiff(strips=[1 << 31]),
        tiff(compression=[5]),
        tiff(compression=[8]),
    ],
    ids=range(11),
)
def test_a_damaged_or_hostile_one_is_broken(data: bytes) -> None:
    with pytest.raises(BrokenImage, match="the TIFF file is damaged or cut short"):
        decode(data)


def test_values_that_overlap_are_not_read_a_thousand_times() -> None:
    """A directory of 4000 tags, each of which is the whole file."""
    entries = b"".join(struct.pack("<HHII", 60_000, BYTE, 40_000, 8) for _ in range(4000))
    data = b"II*\0" + struct.pack("<IH", 8, 4000) + entries + bytes(4)
    with pytest.raises(BrokenImage):
        decode(data)


def test_a_huge_one_is_refused_from_its_header() -> None:
    with pytest.raises(TooManyPixels):
        decode(tiff(width=[20_000], height=[20_000], rows=[20_000]))


def test_bigtiff_is_named() -> None:
    with pytest.raises(UnsupportedFormat, match="the file is BigTIFF: send"):
        decode(b"II+\0\x08\0\0\0" + bytes(100))
