import io
from typing import Any

import pytest
import torch
from PIL import Image

from service.images import MEDIA_TYPES, Format, decode, encode
from service.images.colour import srgb_profile

FORMATS: list[Format] = ["png", "jpeg", "webp", "avif"]


@pytest.fixture
def rgb(pixels: Any) -> torch.Tensor:
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_a_png_comes_back_exactly(rgb: torch.Tensor) -> None:
    decoded = decode(encode(rgb, "png"))
    assert torch.equal(decoded.rgb, rgb)
    assert decoded.alpha is None


def test_a_png_with_alpha_comes_back_exactly(rgb: torch.Tensor) -> None:
    alpha = rgb[:1].contiguous()
    decoded = decode(encode(rgb, "png", alpha=alpha))
    assert torch.equal(decoded.rgb, rgb)
    assert decoded.alpha is not None
    assert torch.equal(decoded.alpha, alpha)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_comes_back_nearly(kind: Format, rgb: torch.Tensor) -> None:
    decoded = decode(encode(rgb, kind))
    assert decoded.format == kind
    assert (decoded.rgb.float() - rgb.float()).abs().mean() < 3


@pytest.mark.parametrize("kind", FORMATS)
def test_a_result_carries_the_srgb_profile_and_no_metadata(kind: Format, rgb: torch.Tensor) -> None:
    image = opened(encode(rgb, kind))
    assert image.info["icc_profile"] == srgb_profile()
    assert not image.getexif()
    assert set(image.info) & {"exif", "xmp", "comment", "dpi", "Software"} == set()


def test_a_png_has_no_other_chunks(rgb: torch.Tensor) -> None:
    data, at, kinds = encode(rgb, "png"), 8, []
    while at < len(data):
        kinds.append(data[at + 4 : at + 8])
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    assert kinds == [b"IHDR", b"iCCP", b"IDAT", b"IEND"]


def test_a_jpeg_has_no_other_segments(rgb: torch.Tensor) -> None:
    data, at, markers = encode(rgb, "jpeg"), 2, set()
    while data[at + 1] != 0xDA:  # start of scan; JFIF is APP0, a profile APP2 (ITU-T T.81, table B.1)
        markers.add(data[at + 1])
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    assert markers == {0xE0, 0xE2, 0xDB, 0xC0, 0xC4}
    assert data.count(b"Exif") == data.count(b"http") == 0


@pytest.mark.parametrize("with_alpha", [False, True])
def test_a_webp_has_no_other_chunks(with_alpha: bool, rgb: torch.Tensor) -> None:
    alpha = rgb[:1].contiguous() if with_alpha else None
    data, at, kinds = encode(rgb, "webp", alpha=alpha), 12, []
    while at < len(data):
        kinds.append(data[at : at + 4])
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    assert kinds == [b"VP8X", b"ICCP", *([b"ALPH"] if with_alpha else []), b"VP8 "]


def test_an_avif_has_no_other_items_and_colours_at_full_resolution(rgb: torch.Tensor) -> None:
    data = encode(rgb, "avif")
    kinds = [data[at + 12 : at + 16] for at in range(len(data)) if data[at : at + 4] == b"infe"]
    assert kinds == [b"av01"]
    # Bits 3 and 2 of the third byte say whether chroma is subsampled (AV1 in ISOBMFF, 2.3.3).
    assert data[data.index(b"av1C") + 6] & 0b1100 == 0


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_picture_gives_the_same_bytes(kind: Format, rgb: torch.Tensor) -> None:
    assert encode(rgb, kind) == encode(rgb, kind)


@pytest.mark.parametrize("kind", ["jpeg", "webp", "avif"])
def test_lower_quality_is_smaller(kind: Format) -> None:
    noise = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert (
        len(encode(noise, kind, quality=20)) < len(encode(noise, kind)) < len(encode(noise, kind, quality=99))
    )


def test_jpeg_keeps_the_colours_at_full_resolution(rgb: torch.Tensor) -> None:
    data = encode(rgb, "jpeg")
    frame = data.index(
        b"\xff\xc0"
    )  # SOF0; its components follow: id, sampling factors, table (ITU T.81, B.2.2)
    assert [data[frame + 11 + 3 * component] for component in range(3)] == [0x11, 0x11, 0x11]


def test_jpeg_lays_what_is_transparent_on_white(rgb: torch.Tensor) -> None:
    alpha = torch.zeros_like(rgb[:1])
    alpha[:, :, 16:] = 255
    decoded = decode(encode(rgb, "jpeg", alpha=alpha))
    assert (decoded.rgb[:, :, :8] == 255).all()
    assert (decoded.rgb[:, :, 24:].float() - rgb[:, :, 24:].float()).abs().mean() < 3


@pytest.mark.parametrize("kind", ["png", "webp", "avif"])
def test_nothing_is_hidden_under_what_is_transparent(kind: Format, rgb: torch.Tensor) -> None:
    alpha = torch.zeros_like(rgb[:1])
    alpha[:, :, 16:] = 255
    hidden = [encode(torch.where(alpha > 0, rgb, under), kind, alpha=alpha) for under in (rgb, 255 - rgb)]
    assert hidden[0] == hidden[1]
    if kind == "png":
        assert (decode(hidden[0]).rgb[:, :, :16] == 0).all()


def test_half_transparent_black_on_white_is_middle_grey() -> None:
    black, half = torch.zeros(3, 16, 16, dtype=torch.uint8), torch.full((1, 16, 16), 128, dtype=torch.uint8)
    assert (decode(encode(black, "jpeg", alpha=half)).rgb == 127).all()


@pytest.mark.parametrize("kind", ["webp", "avif"])
def test_alpha_is_put_back(kind: Format, rgb: torch.Tensor) -> None:
    alpha = torch.full_like(rgb[:1], 90)
    decoded = decode(encode(rgb, kind, alpha=alpha))
    assert decoded.alpha is not None
    assert (decoded.alpha.int() - 90).abs().max() <= 2


def test_every_format_has_its_media_type() -> None:
    assert {name: MEDIA_TYPES[name] for name in FORMATS} == {
        "png": "image/png",
        "jpeg": "image/jpeg",
        "webp": "image/webp",
        "avif": "image/avif",
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"rgb": torch.zeros(3, 16, 16)}, "rgb must be uint8 of shape"),
        ({"rgb": torch.zeros(1, 16, 16, dtype=torch.uint8)}, r"not torch.uint8 of \(1, 16, 16\)"),
        ({"alpha": torch.zeros(1, 8, 8, dtype=torch.uint8)}, "alpha must be uint8 of shape"),
        ({"quality": 0}, "quality must be from 1 to 100, not 0"),
        ({"quality": 101}, "quality must be from 1 to 100, not 101"),
        ({"format": "gif"}, "there is no format gif: choose"),
    ],
)
def test_wrong_arguments_are_told(arguments: dict[str, Any], sentence: str) -> None:
    defaults: dict[str, Any] = {"rgb": torch.zeros(3, 16, 16, dtype=torch.uint8), "format": "png"}
    with pytest.raises(ValueError, match=sentence):
        encode(**(defaults | arguments))
