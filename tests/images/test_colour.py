"""Colour management, against the arithmetic of the standards and profiles put together by hand."""

import struct
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from service.images import decode
from service.images.colour import srgb_profile

# Linear RGB to CIE XYZ under D65, from the primaries: SMPTE EG 432-1 (Display P3) and IEC 61966-2-1 (sRGB).
P3_TO_XYZ = np.array(
    [[0.48657095, 0.26566769, 0.19821729], [0.22897456, 0.69173852, 0.07928691], [0, 0.04511338, 1.04394437]]
)
SRGB_TO_XYZ = np.array(
    [
        [0.41239080, 0.35758434, 0.18048079],
        [0.21263901, 0.71516868, 0.07219232],
        [0.01933082, 0.11919478, 0.95053215],
    ]
)
# The Bradford adaptation from D65 to D50, the white of profiles (ICC.1:2022, annex E).
BRADFORD = np.array(
    [
        [1.0479298, 0.0229468, -0.0501922],
        [0.0296278, 0.9904345, -0.0170738],
        [-0.0092430, 0.0150552, 0.7518743],
    ]
)


def s15fixed16(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def display_p3() -> bytes:
    """A matrix profile (ICC.1:2010) with Display P3's primaries and sRGB's curve, as phones embed it."""
    curve = (
        b"para"
        + bytes(4)
        + struct.pack(">HH", 3, 0)
        + s15fixed16(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    )
    columns = (BRADFORD @ P3_TO_XYZ).T
    text = (
        b"mluc"
        + bytes(4)
        + struct.pack(">II", 1, 12)
        + b"enUS"
        + struct.pack(">II", 4, 28)
        + "P3".encode("utf-16-be")
    )
    tags = {
        b"desc": text,
        b"wtpt": b"XYZ " + bytes(4) + s15fixed16(0.9642, 1, 0.8249),
        b"rXYZ": b"XYZ " + bytes(4) + s15fixed16(*columns[0]),
        b"gXYZ": b"XYZ " + bytes(4) + s15fixed16(*columns[1]),
        b"bXYZ": b"XYZ " + bytes(4) + s15fixed16(*columns[2]),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, body in tags.items():
        table += struct.pack(">4sII", name, start + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    header = struct.pack(">I4sI4s4s4s", start + len(data), bytes(4), 0x04000000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2015, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + s15fixed16(0.9642, 1, 0.8249)
    return header.ljust(128, b"\x00") + table + data


def p3_to_srgb(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Display P3 to sRGB by the formulas."""
    encoded = colours / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    linear = (linear @ (np.linalg.inv(SRGB_TO_XYZ) @ P3_TO_XYZ).T).clip(0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    levels: NDArray[np.float64] = np.rint(255 * encoded)
    return levels


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_display_p3_is_converted_by_the_formulas(kind: str, save: Any) -> None:
    colours = np.array(
        [[200, 90, 60], [60, 140, 120], [128, 128, 128], [250, 240, 230], [20, 30, 90]], np.uint8
    )
    for colour, expected in zip(colours, p3_to_srgb(colours), strict=True):
        image = Image.new("RGB", (16, 16), tuple(int(level) for level in colour))
        options = {"lossless": True} if kind == "WEBP" else {"quality": 100}
        decoded = decode(save(image, kind, icc_profile=display_p3(), **options))
        assert decoded.icc == "converted"
        tolerance = 1 if kind in ("PNG", "WEBP") else 4
        assert np.abs(decoded.rgb[:, 8, 8].numpy().astype(int) - expected).max() <= tolerance


def test_colours_outside_srgb_are_brought_to_its_border(save: Any) -> None:
    image = Image.new("RGB", (16, 16), (255, 0, 0))
    decoded = decode(save(image, "PNG", icc_profile=display_p3()))
    assert decoded.rgb[:, 0, 0].tolist() == [255, 0, 0]


def test_the_srgb_profile_changes_no_pixel(photo: Image.Image, pixels: NDArray[np.uint8], save: Any) -> None:
    decoded = decode(save(photo, "PNG", icc_profile=srgb_profile()))
    assert decoded.icc == "none"
    assert np.array_equal(decoded.rgb.permute(1, 2, 0).numpy(), pixels)


@pytest.mark.parametrize("profile", [b"no profile", srgb_profile()[:200], b"\x00" * 500])
def test_a_broken_profile_is_ignored_and_said_so(
    profile: bytes, photo: Image.Image, pixels: NDArray[np.uint8], save: Any
) -> None:
    decoded = decode(save(photo, "PNG", icc_profile=profile))
    assert decoded.icc == "ignored"
    assert np.array_equal(decoded.rgb.permute(1, 2, 0).numpy(), pixels)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_profile_for_other_colours_than_the_pictures_is_no_error(mode: str, save: Any) -> None:
    decoded = decode(save(Image.new(mode, (16, 16)), "JPEG", icc_profile=display_p3()))
    assert decoded.icc == ("converted" if mode == "L" else "ignored")
    assert decoded.rgb.shape == (3, 16, 16)


def test_alpha_survives_the_conversion(save: Any) -> None:
    image = Image.new("RGBA", (16, 16), (200, 90, 60, 100))
    decoded = decode(save(image, "PNG", icc_profile=display_p3()))
    assert decoded.icc == "converted"
    assert decoded.alpha is not None
    assert (decoded.alpha == 100).all()


def test_our_profile_is_the_same_at_every_start_and_is_srgb() -> None:
    srgb_profile.cache_clear()
    first = srgb_profile()
    srgb_profile.cache_clear()
    assert srgb_profile() == first
    assert first[24:36] == struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    assert "sRGB" in ImageCms.getProfileDescription(ImageCms.createProfile("sRGB"))
