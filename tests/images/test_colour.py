"""Colour management, against the arithmetic of the standards and profiles put together by hand."""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageCms

from service.images import decode
from service.images.colour import srgb_profile

# Linear RGB to CIE XYZ under D65, from the primaries: SMPTE EG 432-1 (Display P3) and IEC 61966-2-1 (sRGB).
P3_TO_XYZ = np.array(
    [[0.48657095, 0.26566769, 0.19821729], [0.22897456, 0.69173852, 0.07928691], [0, 0.04511338, 1.04394437]]
)
# Adobe RGB (1998), 4.3.5.3.
ADOBE_TO_XYZ = np.array(
    [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
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


def profile(space: bytes, tags: dict[bytes, bytes], pcs: bytes = b"XYZ ", kind: bytes = b"mntr") -> bytes:
    """A profile (ICC.1:2010, section 7) of these tags, and those that every one has."""
    text = (
        b"mluc"
        + bytes(4)
        + struct.pack(">II", 1, 12)
        + b"enUS"
        + struct.pack(">II", 2, 28)
        + "x".encode("utf-16-be")
    )
    tags = {b"desc": text, b"wtpt": b"XYZ " + bytes(4) + s15fixed16(0.9642, 1, 0.8249)} | tags
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, body in tags.items():
        table += struct.pack(">4sII", name, start + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    header = struct.pack(">I4sI4s4s4s", start + len(data), bytes(4), 0x04000000, kind, space, pcs)
    header += struct.pack(">6H", 2015, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + s15fixed16(0.9642, 1, 0.8249)
    return header.ljust(128, b"\x00") + table + data


def matrix_profile(
    to_xyz: NDArray[np.float64], curve: bytes, more: dict[bytes, bytes] | None = None
) -> bytes:
    """Of a monitor or camera: three primaries, and one curve for all."""
    columns = (BRADFORD @ to_xyz).T
    names = (b"r", b"g", b"b")
    primaries = {
        name + b"XYZ": b"XYZ " + bytes(4) + s15fixed16(*xyz) for name, xyz in zip(names, columns, strict=True)
    }
    return profile(b"RGB ", (more or {}) | primaries | {name + b"TRC": curve for name in names})


def display_p3(more: dict[bytes, bytes] | None = None) -> bytes:
    """Display P3's primaries and sRGB's curve, as phones embed it."""
    curve = (
        b"para"
        + bytes(4)
        + struct.pack(">HH", 3, 0)
        + s15fixed16(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    )
    return matrix_profile(P3_TO_XYZ, curve, more)


def adobe_rgb() -> bytes:
    """A gamma of 563/256, as the specification has it."""
    return matrix_profile(ADOBE_TO_XYZ, b"curv" + bytes(4) + struct.pack(">IH", 1, 563))


def to_srgb(linear: NDArray[np.float64], to_xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear light of other primaries to sRGB by the formulas."""
    linear = (linear @ (np.linalg.inv(SRGB_TO_XYZ) @ to_xyz).T).clip(0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    levels: NDArray[np.float64] = np.rint(255 * encoded)
    return levels


def p3_to_srgb(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Display P3 to sRGB."""
    encoded = colours / 255
    return to_srgb(
        np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4), P3_TO_XYZ
    )


def adobe_to_srgb(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Adobe RGB (1998) to sRGB."""
    return to_srgb((colours / 255) ** (563 / 256), ADOBE_TO_XYZ)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize(
    ("embedded", "by_formula"),
    [(display_p3(), p3_to_srgb), (adobe_rgb(), adobe_to_srgb)],
    ids=["Display P3", "Adobe RGB"],
)
def test_a_wider_gamut_is_converted_by_the_formulas(
    embedded: bytes, by_formula: Callable[[NDArray[np.uint8]], NDArray[np.float64]], kind: str, save: Any
) -> None:
    colours = np.array(
        [[200, 90, 60], [60, 140, 120], [128, 128, 128], [250, 240, 230], [20, 30, 90]], np.uint8
    )
    for colour, expected in zip(colours, by_formula(colours), strict=True):
        image = Image.new("RGB", (16, 16), tuple(int(level) for level in colour))
        options = {"lossless": True} if kind == "WEBP" else {"quality": 100}
        decoded = decode(save(image, kind, icc_profile=embedded, **options))
        assert decoded.icc == "converted"
        tolerance = 1 if kind in ("PNG", "WEBP") else 4
        assert np.abs(decoded.rgb[:, 8, 8].numpy().astype(int) - expected).max() <= tolerance


def press() -> bytes:
    """A printing press whose black ink is perfect, and whose colours are greys: CIE L* = 100 (1 - K) (1 - C/2).

    A table of 2x2x2x2 colours, 8-bit Lab (ICC.1:2010, 10.9), linear in between.
    """
    identity = bytes(range(256))
    grid = b"".join(
        bytes([round(255 * (1 - k) * (1 - c / 2)), 128, 128])
        for c in (0, 1)
        for _m in (0, 1)
        for _y in (0, 1)
        for k in (0, 1)
    )
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + s15fixed16(1, 0, 0, 0, 1, 0, 0, 0, 1)
    return profile(b"CMYK", {b"A2B0": table + identity * 4 + grid + identity * 3}, pcs=b"Lab ", kind=b"prtr")


@pytest.mark.parametrize(
    "ink", [(0, 0, 0, 0), (255, 0, 0, 0), (0, 0, 0, 255), (0, 0, 0, 128), (128, 40, 90, 30)]
)
def test_cmyk_is_converted_by_its_profile(ink: tuple[int, int, int, int], save: Any) -> None:
    """What Photoshop stores inverted is read as ink: no ink is white."""
    lightness = 100 * (1 - ink[3] / 255) * (1 - ink[0] / 510)
    luminance = ((lightness + 16) / 116) ** 3 if lightness > 8 else lightness * 27 / 24389  # CIE 15, 8.2.1.1
    expected = to_srgb(np.full(3, luminance), SRGB_TO_XYZ)
    decoded = decode(save(Image.new("CMYK", (16, 16), ink), "JPEG", quality=100, icc_profile=press()))
    assert decoded.icc == "converted"
    assert np.abs(decoded.rgb[:, 8, 8].numpy() - expected).max() <= 2


@pytest.mark.parametrize(("mode", "level"), [("L", 128), ("LA", (128, 100)), ("I;16", 128 * 257)])
def test_grey_is_converted_by_its_profile(mode: str, level: Any, save: Any) -> None:
    """A gamma of 1: light in place of what the eye sees."""
    linear = profile(b"GRAY", {b"kTRC": b"curv" + bytes(8)})
    decoded = decode(save(Image.new(mode, (16, 16), level), "PNG", icc_profile=linear))
    assert decoded.icc == "converted"
    assert (decoded.rgb - to_srgb(np.full(3, 128 / 255), SRGB_TO_XYZ)[0]).abs().max() <= 1
    assert (decoded.alpha is None) == (mode != "LA")


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


def multi_process(elements: int) -> bytes:
    """The body of a tag with so many elements that are all one place of the file."""
    head = b"mpet" + bytes(4) + struct.pack(">HHI", 3, 3, elements)
    matrix = b"matf" + bytes(4) + struct.pack(">HH12f", 3, 3, 0.5, 0, 0, 0, 0.5, 0, 0, 0, 0.5, 0, 0, 0)
    return head + struct.pack(">II", len(head) + 8 * elements, len(matrix)) * elements + matrix


@pytest.mark.parametrize("elements", [1, 20_000])
def test_of_a_profile_with_multi_process_elements_the_rest_counts(
    photo: Image.Image, save: Any, elements: int
) -> None:
    profile = display_p3({b"D2B1": multi_process(elements)})
    with_elements = decode(save(photo, "PNG", icc_profile=profile))
    assert with_elements.icc == "converted"
    assert torch.equal(with_elements.rgb, decode(save(photo, "PNG", icc_profile=display_p3())).rgb)
