"""The pixels that we decode against those of libvips, which has decoders and colour management of its own."""

from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image

from service.images import decode

EXACT = {"PNG", "WEBP"}
BEST: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
}


def theirs(data: bytes) -> NDArray[np.uint8]:
    """(H, W, 3 or 4): upright, sRGB by the embedded profile if there is one, 8 bits."""
    image = pyvips.Image.new_from_buffer(data, "").autorot()
    if image.get_typeof("icc-profile-data"):
        image = image.icc_transform("srgb", embedded=True, intent="relative", black_point_compensation=True)
    array: NDArray[np.uint8] = image.colourspace("srgb").cast("uchar").numpy()
    return array


def ours(data: bytes) -> NDArray[np.uint8]:
    """The same from our gate; with alpha where there is some."""
    decoded = decode(data)
    planes = [decoded.rgb.numpy()] + ([] if decoded.alpha is None else [decoded.alpha.numpy()])
    return np.concatenate(planes).transpose(1, 2, 0)


def assert_alike(data: bytes, tolerance: int) -> None:
    expected, found = theirs(data).astype(int), ours(data).astype(int)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance


@pytest.mark.parametrize("kind", BEST)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation(kind: str, orientation: int, photo: Image.Image, save: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert_alike(save(photo, kind, exif=exif, **BEST[kind]), 0 if kind in EXACT else 2)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_pictures_with_less_colour_than_light(kind: str, photo: Image.Image, save: Any) -> None:
    """4:2:0: how colours are spread over pixels differs between decoders, a little where they change slowly."""
    data = save(photo.resize((128, 96)), kind, quality=90)
    expected, found = (decoder(data).astype(int) for decoder in (theirs, ours))
    assert np.abs(found - expected).mean() < 2


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_of_a_png(mode: str, photo: Image.Image, save: Any) -> None:
    alpha = photo.convert("RGBA")
    alpha.putalpha(Image.linear_gradient("L").resize(photo.size))
    levels = np.asarray(photo.convert("L")).astype(np.uint16) * 250
    image = Image.fromarray(levels) if mode == "I;16" else alpha.convert(mode)
    assert_alike(save(image, "PNG"), 1 if mode == "I;16" else 0)


def test_a_palette_with_transparent_entries(photo: Image.Image, save: Any) -> None:
    image = photo.quantize(8)
    assert_alike(save(image, "PNG", transparency=bytes([0, 90, 180])), 0)


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_16_bits(colour_type: int, channels: int, raw_png: Any) -> None:
    samples = np.random.default_rng(0).integers(0, 65536, (16, 16 * channels)).astype(">u2")
    rows = b"".join(b"\x00" + row.tobytes() for row in samples)
    assert_alike(raw_png(16, 16, 16, colour_type, rows), 1)


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_an_avif_of_more_bits(bits: int) -> None:
    levels = (
        np.random.default_rng(0).integers(0, 65536, (2, 2, 3)).repeat(16, 0).repeat(16, 1).astype(np.uint16)
    )
    image = pyvips.Image.new_from_array(levels, interpretation="rgb16")
    assert_alike(image.heifsave_buffer(compression="av1", bitdepth=bits, lossless=True), 1)


def test_cmyk_of_photoshop(photo: Image.Image, save: Any) -> None:
    """Stored inverted, and as luma and chroma, as the library writes it; both without a profile."""
    ink = np.asarray(photo.convert("CMYK"))
    data = save(Image.fromarray(ink, "CMYK"), "JPEG", quality=100, subsampling=0)
    stored = pyvips.Image.new_from_buffer(data, "").numpy().astype(int)
    assert np.abs(stored - ink).max() <= 2  # their reading of what is ink and what is not
    expected = (255 - stored[..., :3]) * (255 - stored[..., 3:]) / 255
    assert np.abs(ours(data) - expected).max() <= 2
