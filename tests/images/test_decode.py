import struct
import zlib
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from devtools.bombs import png_chunk
from service.images import BrokenImage, Invisible, TooManyPixels, TooSmall, UnsupportedFormat, decode
from service.images.errors import TooCostly
from service.style.resample import reduce

FORMATS = ["JPEG", "PNG", "WEBP", "AVIF"]
BEST: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
}
"""Options to lose as little as each format can."""


def hwc(tensor: torch.Tensor | None) -> NDArray[np.uint8]:
    assert tensor is not None
    array: NDArray[np.uint8] = tensor.permute(1, 2, 0).numpy()
    return array


@pytest.mark.parametrize("kind", FORMATS)
def test_every_accepted_format_is_told_by_its_content(
    kind: str, photo: Image.Image, pixels: NDArray[np.uint8], save: Any
) -> None:
    decoded = decode(save(photo, kind, quality=95))
    assert decoded.format == kind.lower()
    assert decoded.size == (32, 24)
    assert decoded.rgb.shape == (3, 24, 32)
    assert decoded.rgb.dtype == torch.uint8
    assert decoded.rgb.is_contiguous()
    assert decoded.alpha is None
    assert decoded.icc == "none"
    assert np.abs(hwc(decoded.rgb).astype(int) - pixels).mean() < 4


def test_a_png_is_decoded_exactly(photo: Image.Image, pixels: NDArray[np.uint8], save: Any) -> None:
    assert np.array_equal(hwc(decode(save(photo, "PNG")).rgb), pixels)


# Orientation.

# What was done to the upright picture before it was stored, by Exif's number: the value says where row 0 and
# column 0 of the stored picture are (Exif 2.32, table 4: 6 = row 0 on the right, column 0 on top).
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a[:, ::-1].transpose(1, 0, 2),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: a[::-1].transpose(1, 0, 2),
}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("orientation", STORED)
def test_a_picture_is_turned_upright(
    orientation: int, kind: str, pixels: NDArray[np.uint8], save: Any
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](pixels)))
    decoded = decode(save(stored, kind, exif=exif, **BEST[kind]))
    assert decoded.size == (32, 24)
    assert decoded.rgb.shape == (3, 24, 32)
    assert np.abs(hwc(decoded.rgb).astype(int) - pixels).max() <= (0 if kind in ("PNG", "WEBP") else 6)


def test_what_xmp_says_of_the_orientation_does_not_count(photo: Image.Image, save: Any) -> None:
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    for kind in ("JPEG", "WEBP"):
        assert decode(save(photo, kind, xmp=xmp)).size == (32, 24)


def test_alpha_is_turned_with_the_colours(pixels: NDArray[np.uint8], save: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    rgba = np.concatenate([pixels, pixels[..., :1]], axis=-1)
    decoded = decode(save(Image.fromarray(np.ascontiguousarray(STORED[6](rgba))), "PNG", exif=exif))
    assert np.array_equal(hwc(decoded.alpha), pixels[..., :1])


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(
    orientation: int, photo: Image.Image, pixels: NDArray[np.uint8], save: Any
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(hwc(decode(save(photo, "PNG", exif=exif)).rgb), pixels)


def test_broken_exif_data_is_ignored(photo: Image.Image, save: Any) -> None:
    data = save(photo, "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff\x01\x12")
    assert decode(data).size == (32, 24)


# Modes.


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_a_picture_that_nothing_is_seen_of_is_refused(kind: str, save: Any) -> None:
    with pytest.raises(
        Invisible, match=r"all of the picture is transparent, or of an animation its first frame"
    ):
        decode(save(Image.new("RGBA", (32, 24), (200, 100, 50, 0)), kind))


def test_an_animation_that_begins_with_nothing_is_refused(photo: Image.Image, save: Any) -> None:
    empty = Image.new("RGBA", photo.size, (0, 0, 0, 0))
    options = {"save_all": True, "append_images": [photo.convert("RGBA")], "lossless": True}
    with pytest.raises(Invisible):
        decode(save(empty, "WEBP", **options))


def test_the_colours_of_labels_count_whatever_is_seen_of_them(save: Any) -> None:
    red = Image.new("RGBA", (32, 24), (255, 0, 0, 0))
    assert decode(save(red, "PNG"), managed=False).rgb[:, 3, 3].tolist() == [255, 0, 0]


def test_16_bit_grey_is_scaled_and_not_clipped(save: Any) -> None:
    levels = np.full((16, 16), 40000, dtype=np.uint16)
    levels[0, :4] = [0, 65535, 257, 128]
    decoded = decode(save(Image.fromarray(levels), "PNG"))
    assert decoded.rgb[:, 0, :4].tolist() == [[0, 255, 1, 0]] * 3
    assert (decoded.rgb[:, 1:] == 156).all()
    assert decoded.alpha is None


def test_16_bit_colour_is_scaled_and_not_clipped(raw_png: Any) -> None:
    row = b"\x00" + struct.pack(">3H", 40000, 65535, 0) * 16
    decoded = decode(raw_png(16, 16, 16, 2, row * 16))
    assert decoded.rgb[:, 5, 5].tolist() == [156, 255, 0]


def test_a_16_bit_grey_level_that_stands_for_nothing_is_transparent(raw_png: Any) -> None:
    row = b"\x00" + struct.pack(">16H", *([40000] * 8 + [1000] * 8))
    chunk = png_chunk(b"tRNS", struct.pack(">H", 1000))
    decoded = decode(raw_png(16, 16, 16, 0, row * 16, chunks=chunk))
    assert decoded.alpha is not None
    assert (decoded.alpha[:, :, :8] == 255).all()
    assert (decoded.alpha[:, :, 8:] == 0).all()


@pytest.mark.parametrize(("depth", "packed", "level"), [(1, 0b01010101, 0), (2, 0b00011011, 1), (4, 0x35, 3)])
def test_a_level_of_few_bits_that_stands_for_nothing_is_transparent(
    depth: int, packed: int, level: int, raw_png: Any
) -> None:
    rows = (b"\x00" + bytes([packed]) * (2 * depth)) * 16
    decoded = decode(raw_png(16, 16, depth, 0, rows, chunks=png_chunk(b"tRNS", struct.pack(">H", level))))
    levels = [packed >> shift & (1 << depth) - 1 for shift in range(8 - depth, -1, -depth)]
    shown = len(levels)
    assert decoded.alpha is not None
    assert decoded.alpha[0, 3, :shown].tolist() == [0 if each == level else 255 for each in levels]
    assert decoded.rgb[0, 3, :shown].tolist() == [each * 255 // ((1 << depth) - 1) for each in levels]


@pytest.mark.parametrize(("depth", "layout"), [(8, ">3B"), (16, ">3H")])
def test_a_colour_that_stands_for_nothing_is_transparent(depth: int, layout: str, raw_png: Any) -> None:
    scale = 257 if depth == 16 else 1
    nothing, something = ([level * scale for level in levels] for levels in ((1, 2, 3), (200, 100, 50)))
    row = b"\x00" + struct.pack(layout, *nothing) * 8 + struct.pack(layout, *something) * 8
    chunk = png_chunk(b"tRNS", struct.pack(">3H", *nothing))
    decoded = decode(raw_png(16, 16, depth, 2, row * 16, chunks=chunk))
    assert decoded.alpha is not None
    assert decoded.alpha[0, 5, 6:10].tolist() == [0, 0, 255, 255]
    assert decoded.rgb[:, 5, 8].tolist() == [200, 100, 50]


@pytest.mark.parametrize(("colour_type", "stored"), [(4, (40000, 33000)), (6, (40000, 65535, 0, 33000))])
def test_alpha_of_16_bits_is_scaled_with_the_colours(
    colour_type: int, stored: tuple[int, ...], raw_png: Any
) -> None:
    row = b"\x00" + struct.pack(f">{len(stored)}H", *stored) * 16
    decoded = decode(raw_png(16, 16, 16, colour_type, row * 16))
    assert decoded.rgb[:, 5, 5].tolist() == ([156, 255, 0] if colour_type == 6 else [156] * 3)
    assert decoded.alpha is not None
    assert (decoded.alpha == 128).all()


def test_a_palette_is_looked_up(save: Any) -> None:
    image = Image.new("P", (16, 16), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    image.putpixel((3, 2), 0)
    decoded = decode(save(image, "PNG"))
    assert decoded.rgb[:, 0, 0].tolist() == [200, 100, 50]
    assert decoded.rgb[:, 2, 3].tolist() == [0, 0, 0]
    assert decoded.alpha is None


@pytest.mark.parametrize(("transparency", "expected"), [(0, (0, 255)), (b"\x00\x80", (0, 128))])
def test_transparent_entries_of_a_palette_become_alpha(
    transparency: int | bytes, expected: tuple[int, int], save: Any
) -> None:
    image = Image.new("P", (16, 16), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    image.putpixel((3, 2), 0)
    decoded = decode(save(image, "PNG", transparency=transparency))
    assert decoded.alpha is not None
    assert decoded.alpha.shape == (1, 16, 16)
    assert (int(decoded.alpha[0, 2, 3]), int(decoded.alpha[0, 0, 0])) == expected
    assert decoded.rgb[:, 0, 0].tolist() == [200, 100, 50]


def test_cmyk_becomes_rgb(save: Any) -> None:
    """Red is (1 - cyan) (1 - black). Pillow stores ink as Photoshop does, 255 for none, and says so with a marker."""
    ink = (50, 200, 100, 60)
    data = save(Image.new("CMYK", (16, 16), ink), "JPEG", quality=100)
    assert b"Adobe" in data
    expected = [(255 - colour) * (255 - ink[3]) / 255 for colour in ink[:3]]
    assert np.abs(decode(data).rgb[:, 8, 8].numpy() - expected).max() <= 2


def test_cmyk_that_is_stored_as_luma_and_chroma_becomes_rgb(save: Any) -> None:
    """Photoshop's YCCK: what is stored is the YCbCr (JFIF, section 7) of 255 - C, 255 - M, 255 - Y as RGB, and K."""
    luma, blue, red, black = 150, 110, 140, 60
    # Pillow inverts what it stores, so that these are the bytes in the file; then the marker is changed to YCCK.
    stored = tuple(255 - level for level in (luma, blue, red, black))
    data = bytearray(save(Image.new("CMYK", (16, 16), stored), "JPEG", quality=100))
    data[data.index(b"Adobe") + 11] = 2
    colours = np.array(
        [
            luma + 1.402 * (red - 128),
            luma - 0.344136 * (blue - 128) - 0.714136 * (red - 128),
            luma + 1.772 * (blue - 128),
        ]
    )
    expected = (255 - colours) * black / 255
    assert np.abs(decode(bytes(data)).rgb[:, 8, 8].numpy() - expected).max() <= 2


@pytest.mark.parametrize(("mode", "colour"), [("L", 77), ("1", 1)])
def test_grey_is_the_same_in_all_channels(mode: str, colour: int, save: Any) -> None:
    decoded = decode(save(Image.new(mode, (16, 16), colour), "PNG"))
    assert (decoded.rgb == (77 if mode == "L" else 255)).all()
    assert decoded.rgb.shape == (3, 16, 16)


def test_grey_with_alpha_keeps_both(save: Any) -> None:
    decoded = decode(save(Image.new("LA", (16, 20), (77, 200)), "PNG"))
    assert (decoded.rgb == 77).all()
    assert decoded.alpha is not None
    assert decoded.alpha.shape == (1, 20, 16)
    assert (decoded.alpha == 200).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_alpha_is_kept(kind: str, photo: Image.Image, save: Any) -> None:
    image = photo.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize((32, 24)))
    decoded = decode(save(image, kind, lossless=True) if kind == "WEBP" else save(image, kind, quality=100))
    expected = np.asarray(image.getchannel("A")).astype(int)
    assert np.abs(hwc(decoded.alpha)[..., 0] - expected).max() <= 1


def test_alpha_that_hides_nothing_is_dropped(photo: Image.Image, save: Any) -> None:
    assert decode(save(photo.convert("RGBA"), "PNG")).alpha is None


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_of_an_animation_the_first_frame_is_taken(kind: str, photo: Image.Image, save: Any) -> None:
    frames = [Image.new("RGB", (32, 24), "black"), Image.new("RGB", (32, 24), "white")]
    data = save(photo, kind, save_all=True, append_images=frames, duration=100)
    decoded = decode(data)
    assert decoded.size == (32, 24)
    assert np.abs(hwc(decoded.rgb).astype(int) - np.asarray(photo)).mean() < 4


def test_of_a_phones_multi_picture_file_the_first_is_taken(photo: Image.Image, save: Any) -> None:
    data = save(photo, "MPO", save_all=True, append_images=[Image.new("RGB", (32, 24), "white")], quality=95)
    decoded = decode(data)
    assert decoded.format == "jpeg"
    assert np.abs(hwc(decoded.rgb).astype(int) - np.asarray(photo)).mean() < 4


# Bounds.


def test_a_bomb_is_refused_from_its_header(raw_png: Any) -> None:
    with pytest.raises(TooManyPixels, match=r"has 169\.0 megapixels and at most 40 are accepted") as raised:
        decode(raw_png(13000, 13000, 8, 2, bytes(1000)))
    assert (raised.value.limit, raised.value.actual) == (40_000_000, 169_000_000)


def test_a_bomb_beyond_pillows_own_limit_is_refused_alike(raw_png: Any) -> None:
    with pytest.raises(TooManyPixels) as raised:
        decode(raw_png(50000, 50000, 8, 2, bytes(1000)))
    assert (raised.value.limit, raised.value.actual) == (40_000_000, 2_500_000_000)


def test_the_limit_itself_is_accepted(photo: Image.Image, save: Any) -> None:
    data = save(photo, "PNG")
    assert decode(data, max_pixels=32 * 24).size == (32, 24)
    with pytest.raises(TooManyPixels):
        decode(data, max_pixels=32 * 24 - 1)


def test_a_picture_of_one_pixel_is_too_small(save: Any) -> None:
    with pytest.raises(TooSmall, match="shorter side has 1 px and at least 16 px are needed") as raised:
        decode(save(Image.new("RGB", (1, 1)), "PNG"))
    assert (raised.value.minimum, raised.value.actual) == (16, 1)


def test_both_sides_have_to_be_long_enough(save: Any) -> None:
    with pytest.raises(TooSmall):
        decode(save(Image.new("RGB", (500, 15)), "PNG"))
    assert decode(save(Image.new("RGB", (16, 16)), "PNG")).size == (16, 16)


def test_a_jpeg_may_have_three_times_as_many_pixels_where_it_is_reduced(
    large: Image.Image, save: Any
) -> None:
    data, pixels = save(large, "JPEG"), 640 * 480
    assert decode(data, wanted=100, max_pixels=pixels // 3).rgb.shape == (3, 240, 320)
    with pytest.raises(TooManyPixels) as raised:
        decode(data, wanted=100, max_pixels=pixels // 3 - 1)
    assert (raised.value.limit, raised.value.actual) == (pixels - 3, pixels)
    with pytest.raises(TooManyPixels) as raised:  # all of it is wanted
        decode(data, max_pixels=pixels // 3)
    assert (raised.value.limit, raised.value.actual) == (pixels // 3, pixels)


def test_a_jpeg_that_would_be_too_large_at_twice_the_size_is_reduced_to_no_less_than_is_wanted(
    large: Image.Image, save: Any
) -> None:
    for wanted in (300, 330):  # the second is a little more than there is then, and better than none
        assert decode(save(large, "JPEG"), wanted=wanted, max_pixels=640 * 480 // 3).rgb.shape == (
            3,
            240,
            320,
        )


def test_a_large_jpeg_may_have_fewer_scans(large: Image.Image, save: Any) -> None:
    data, pixels = save(large, "JPEG", progressive=True), 640 * 480
    scans = data.count(b"\xff\xda")
    assert decode(data, wanted=100, max_pixels=pixels // 2).size == large.size
    following = data.index(b"\xff\xda")
    often = data[:following] + data[following:-2] * (60 // scans) + data[-2:]
    with pytest.raises(BrokenImage, match="has more than 49 scans"):
        decode(often, wanted=100, max_pixels=pixels // 2 - 1)


# A picture that is wanted smaller.


@pytest.fixture(scope="session")
def large() -> Image.Image:
    """640x480, with detail at all scales."""
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3))
    smooth = np.stack(np.broadcast_arrays(*np.mgrid[0:480:2, 0:640:2][:, :240, :320], 128), axis=-1)
    detail = np.repeat(np.repeat(smooth, 2, 0), 2, 1) * 0.3
    return Image.fromarray((detail + 0.2 * noise).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("wanted", "side"), [(1000, 640), (320, 640), (160, 320), (100, 320), (80, 160), (20, 80)]
)
def test_a_jpeg_is_decoded_no_larger_than_it_has_to_be(
    wanted: int, side: int, large: Image.Image, save: Any
) -> None:
    decoded = decode(save(large, "JPEG"), wanted=wanted)
    assert decoded.rgb.shape == (3, side * 3 // 4, side)
    assert decoded.size == (640, 480)
    assert side == 640 or side >= 2 * wanted


def test_a_jpeg_on_its_side_is_decoded_smaller_too(large: Image.Image, save: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode(save(large, "JPEG", exif=exif), wanted=80)
    assert (decoded.rgb.shape, decoded.size) == ((3, 160, 120), (480, 640))


def test_a_strip_keeps_twice_the_least_side(save: Any) -> None:
    assert decode(save(Image.new("RGB", (2000, 70)), "JPEG"), wanted=64).rgb.shape == (3, 35, 1000)


def test_what_is_decoded_smaller_looks_the_same_at_the_wanted_size(large: Image.Image, save: Any) -> None:
    data = save(large, "JPEG", quality=95)
    whole, part = (reduce(decode(data, wanted=wanted).rgb, 80).float() for wanted in (None, 80))
    assert whole.shape == part.shape
    assert (whole - part).pow(2).mean().sqrt() < 1


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_other_formats_are_decoded_whole(kind: str, photo: Image.Image, save: Any) -> None:
    assert decode(save(photo, kind), wanted=2).rgb.shape == (3, 24, 32)


# What is no picture.


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the file is empty: send JPEG, PNG, WebP, AVIF or TIFF"),
        (
            b"this is not a picture",
            "the file is not a picture that the service can read: send JPEG, PNG, WebP, AVIF or TIFF",
        ),
        (b"%PDF-1.7 and so on", "the file is PDF: send"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "the file is HEIC: send"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "the file is SVG: send"),
    ],
)
def test_what_is_no_accepted_picture_is_told_with_what_is(data: bytes, sentence: str) -> None:
    with pytest.raises(UnsupportedFormat, match=sentence):
        decode(data)


@pytest.mark.parametrize("kind", ["GIF", "BMP"])
def test_other_picture_formats_are_refused_by_name(kind: str, photo: Image.Image, save: Any) -> None:
    with pytest.raises(UnsupportedFormat, match=f"the file is {kind}: send JPEG, PNG, WebP, AVIF or TIFF"):
        decode(save(photo, kind))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("part", [0.02, 0.3, 0.9])
def test_a_truncated_file_is_broken(kind: str, part: float, save: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    data = save(Image.fromarray(noise), kind)
    with pytest.raises(BrokenImage, match="file is damaged or cut short"):
        decode(data[: max(int(part * len(data)), 12)])


@pytest.mark.parametrize(
    "error",
    [OSError, ValueError, SyntaxError, NotImplementedError, EOFError, struct.error, zlib.error],
)
def test_whatever_the_decoder_raises_is_a_broken_image(
    error: type[Exception], photo: Image.Image, save: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Image.Image) -> None:
        raise error("hostile")

    data = save(photo, "PNG")
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", fail)
    with pytest.raises(BrokenImage):
        decode(data)


# What viewers show whole, and what no decoder here reads.


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("missing", [1, 2])
@pytest.mark.parametrize("wanted", [None, 16])
def test_a_jpeg_without_its_end_marker_is_whole(
    progressive: bool, missing: int, wanted: int | None, save: Any, photo: Image.Image
) -> None:
    data = save(photo.resize((320, 240)), "JPEG", progressive=progressive)
    whole, cut = decode(data, wanted=wanted), decode(data[:-missing], wanted=wanted)
    assert torch.equal(whole.rgb, cut.rgb)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.7, 0.97])
def test_a_jpeg_that_pixels_are_missing_of_is_refused(
    progressive: bool, share: float, save: Any, photo: Image.Image
) -> None:
    data = save(photo.resize((320, 240)), "JPEG", progressive=progressive)
    with pytest.raises(BrokenImage, match="damaged or cut short"):
        decode(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    ("at", "byte", "kind"),
    [
        (4, 12, "JPEG of 12 bits"),
        (1, 0xC3, "lossless JPEG"),
        (1, 0xC5, "hierarchical JPEG"),
        (1, 0xF7, "JPEG-LS"),
    ],
)
def test_a_kind_of_jpeg_that_is_not_read_is_named(
    at: int, byte: int, kind: str, save: Any, photo: Image.Image
) -> None:
    data = bytearray(save(photo, "JPEG"))
    data[data.index(b"\xff\xc0") + at] = byte
    with pytest.raises(UnsupportedFormat, match=f"the file is a {kind}, which is not read here"):
        decode(bytes(data))


def test_a_png_of_an_app_is_named(raw_png: Any) -> None:
    rows = zlib.compress(b"\x00" + bytes(64), 9)
    data = raw_png(16, 16, 8, 6, rows * 16)
    data = data[:8] + png_chunk(b"CgBI", b"\x50\x00\x20\x02") + data[8:]
    with pytest.raises(UnsupportedFormat, match="PNG from the inside of an iOS app"):
        decode(data)


def test_a_broken_jpeg_of_very_many_segments_is_broken(save: Any, photo: Image.Image) -> None:
    data = save(photo, "JPEG")
    at = data.index(b"\xff\xdb")
    with pytest.raises(BrokenImage):
        decode(data[:at] + b"\xff\xc0\x00\x02" + b"\xff\xe1\x00\x02" * 5000 + data[at:])


@pytest.mark.parametrize("stray", [b"\n", b"\r\n", b"\xef\xbb\xbf"])
def test_bytes_before_a_picture_are_named(stray: bytes, save: Any, photo: Image.Image) -> None:
    with pytest.raises(UnsupportedFormat, match="begins with something else before a JPEG begins"):
        decode(stray + save(photo, "JPEG"))


def test_a_decoder_that_gets_no_memory_says_so(
    photo: Image.Image, save: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Image.Image) -> None:
        raise MemoryError

    data = save(photo, "PNG")
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", fail)
    with pytest.raises(TooCostly, match="more memory to decode"):
        decode(data)
