"""Files that want to hurt: what the gate lets through is a picture, what it refuses it refuses before decoding."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import AvifImagePlugin, Image, ImageFile, WebPImagePlugin

from devtools import bombs
from devtools.mutations import KINDS, files, outcome
from service.images import BrokenImage, ImageError, TooManyPixels, decode
from service.images.containers import TooManyPiecesError, avif, jpeg, png

# Takes seconds to make; a smaller one is below.
CHEAP = {name: make for name, make in bombs.BOMBS.items() if make is not bombs.avif_larger_than_it_says}


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The decoders that began to work on pixels."""
    names: list[str] = []
    for plugin in (ImageFile.ImageFile, AvifImagePlugin.AvifImageFile, WebPImagePlugin.WebPImageFile):

        def load(self: Any, *, original: Callable[[Any], Any] = plugin.load) -> Any:
            names.append(type(self).__name__)
            return original(self)

        monkeypatch.setattr(plugin, "load", load)
    return names


@pytest.mark.parametrize("name", CHEAP)
def test_a_bomb_is_refused_before_any_pixel_is_decoded(name: str, loaded: list[str]) -> None:
    with pytest.raises((TooManyPixels, BrokenImage)):
        decode(CHEAP[name]())
    assert loaded == []


@pytest.mark.parametrize("name", bombs.HARMLESS)
def test_what_is_only_huge_is_a_picture(name: str, loaded: list[str]) -> None:
    assert decode(bombs.HARMLESS[name]()).size == (64, 64)
    assert loaded != []


def test_mutated_files_are_a_picture_or_one_of_our_errors_and_nothing_else() -> None:
    outcomes = {(kind, outcome(data)) for kind, data in files(KINDS, 0, 600, seed=1)}
    assert {what for _, what in outcomes} <= {
        "a picture",
        *(each.__name__ for each in ImageError.__subclasses__()),
    }
    for kind in KINDS:
        assert {(kind, "a picture"), (kind, "BrokenImage")} <= outcomes


# AVIF: the size of what is decoded is in the coded data, not in the box that tells the size.


def test_an_avif_that_is_larger_than_it_says_is_refused(loaded: list[str]) -> None:
    data = bombs.avif_larger_than_it_says(800)
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (64, 64)
    with pytest.raises(TooManyPixels) as raised:
        decode(data, max_pixels=640_000 // 4)
    assert (raised.value.limit, raised.value.actual) == (160_000, 640_000)
    assert loaded == []


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_the_coded_pixels_of_an_avif_are_those_of_all_its_parts(mode: str) -> None:
    picture = Image.new(mode, (500, 300))
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize((500, 300)))
    parts = 2 if mode == "RGBA" else 1
    assert avif.coded_pixels(bombs.saved(picture, "AVIF")) == parts * 500 * 300


def test_a_frame_of_an_avif_animation_counts_as_large_as_it_may_be() -> None:
    frames = [Image.new("RGB", (500, 300), color) for color in ("teal", "orange")]
    data = bombs.saved(frames[0], "AVIF", save_all=True, append_images=frames[1:])
    # 9 bits for each side, both as an item and as the first sample of a track.
    assert avif.coded_pixels(data) == 2 * 512 * 512


def test_hidden_frames_of_an_avif_count_like_others() -> None:
    data = bombs.saved(Image.new("RGB", (500, 300)), "AVIF")
    start = data.index(b"mdat") - 4
    size = len(data) - start - 8  # of the one item, the last thing in the file
    # Open bitstream units of type 3, a frame header, of no bytes (AV1 5.3.2).
    frames = b"\x1a\x00" * 99
    where = data[:start].replace(size.to_bytes(4, "big"), (size + len(frames)).to_bytes(4, "big"))
    longer = where + (8 + size + len(frames)).to_bytes(4, "big") + data[start + 4 :] + frames
    assert avif.coded_pixels(longer) == 100 * avif.coded_pixels(data) == 100 * 500 * 300
    with pytest.raises(TooManyPixels):
        decode(longer, max_pixels=1_000_000)


@pytest.mark.parametrize("box", [b"iinf", b"iloc", b"mdat"])
def test_an_avif_whose_data_cannot_be_found_is_broken(box: bytes, loaded: list[str]) -> None:
    data = bombs.saved(Image.new("RGB", (64, 64)), "AVIF")
    data = data[: data.index(box)] if box == b"mdat" else data.replace(box, b"free")
    with pytest.raises(BrokenImage):
        decode(data)
    assert loaded == []


# PNG and JPEG: what is left out, and what is counted.


def test_of_a_png_what_matters_is_kept(photo: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = bombs.saved(
        photo.quantize(8), "PNG", exif=exif, icc_profile=b"profile", transparency=2, dpi=(72, 72)
    )
    kinds = {whole[at + 4 : at + 8] for at in chunk_starts(whole)}
    left = png.essential(whole)
    assert {left[at + 4 : at + 8] for at in chunk_starts(left)} == kinds - {b"IEND"}
    assert b"pHYs" in kinds


@pytest.mark.parametrize("kind", [b"tRNS", b"eXIf", b"iCCP", b"gAMA", b"juNk"])
@pytest.mark.parametrize("body", [b"", b"\x01", b"\xff" * 40], ids=["empty", "short", "nonsense"])
def test_nonsense_beside_the_pixels_of_a_png_is_ignored(kind: bytes, body: bytes) -> None:
    decoded = decode(bombs.png(64, 64, before=bombs.png_chunk(kind, body)))
    assert (decoded.size, decoded.alpha) == ((64, 64), None)
    assert decoded.icc == ("ignored" if kind == b"iCCP" else "none")


@pytest.mark.parametrize(("length", "alpha"), [(0, None), (2, 7), (256, 7), (257, None)])
def test_the_transparency_of_a_palette_may_have_any_sensible_length(length: int, alpha: int | None) -> None:
    whole = bombs.saved(Image.new("P", (16, 16), 1), "PNG")
    palette_end = whole.index(b"IDAT") - 4
    data = whole[:palette_end] + bombs.png_chunk(b"tRNS", b"\x07" * length) + whole[palette_end:]
    found = decode(data).alpha
    assert (None if found is None else int(found.min())) == alpha


@pytest.mark.parametrize("kind", [b"tRNS", b"eXIf", b"iCCP"])
def test_a_chunk_beside_the_pixels_with_a_wrong_checksum_is_left_out(kind: bytes) -> None:
    chunk = bytearray(bombs.png_chunk(kind, bytes(6)))
    chunk[-1] ^= 1
    decoded = decode(bombs.png(64, 64, before=bytes(chunk)))
    assert (decoded.alpha, decoded.icc) == (None, "none")


@pytest.mark.parametrize("missing", [4, 11, 12])
def test_a_png_that_lacks_only_its_end_is_whole(missing: int) -> None:
    assert decode(bombs.png(64, 64)[:-missing]).size == (64, 64)


def chunk_starts(data: bytes) -> list[int]:
    starts = [8]
    while (after := starts[-1] + 12 + int.from_bytes(data[starts[-1] : starts[-1] + 4], "big")) < len(data):
        starts.append(after)
    return starts


def test_the_scans_of_a_progressive_jpeg_are_no_reason_to_refuse_it(photo: Image.Image) -> None:
    assert decode(bombs.saved(photo, "JPEG", progressive=True)).size == photo.size


def test_many_scans_are() -> None:
    with pytest.raises(TooManyPiecesError, match="more than 100 scans"):
        jpeg.check_scans(bombs.jpeg_of_scans(101))


def test_what_follows_a_jpeg_may_look_like_scans(photo: Image.Image) -> None:
    data = bombs.saved(photo, "JPEG")
    assert decode(data + b"\xff\xda\x00\x02" * 5000).size == photo.size


def test_a_jpeg_with_the_gain_map_of_a_phone_behind_it_is_a_picture(photo: Image.Image) -> None:
    """Ultra HDR: an index of two pictures (CIPA DC-007), and XMP that calls the second one a gain map."""
    xmp = b'http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta xmlns:hdrgm="" hdrgm:Version="1.0"/>'
    base, gain = bombs.saved(photo, "JPEG"), bombs.saved(photo.convert("L"), "JPEG")
    index = bombs.saved(photo, "MPO", save_all=True, append_images=[photo.convert("L")])
    segment = index[index.index(b"MPF\x00") - 4 :]
    segment = segment[: 2 + int.from_bytes(segment[2:4], "big")]
    data = base[:2] + b"\xff\xe1" + (len(xmp) + 2).to_bytes(2, "big") + xmp + segment + base[2:] + gain
    decoded = decode(data)
    assert (decoded.format, decoded.size) == ("jpeg", photo.size)


def test_a_file_of_too_many_pieces_is_told_so() -> None:
    with pytest.raises(BrokenImage, match="the PNG file is made of more than 3343 pieces: save it again"):
        decode(bombs.png(64, 64, before=bombs.png_chunk(b"teSt", b"") * 100_000))
