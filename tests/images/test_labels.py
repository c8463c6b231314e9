"""Label images: flat colours that say which region a pixel belongs to."""

import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from service.images import TooManyLabels, decode
from service.images.labels import MAX_LABELS, Labels, colour_name, read_labels
from tests.images.test_colour import display_p3

RED, BLUE = 0xFF0000, 0x0000FF


def saved(image: Image.Image, image_format: str = "png", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def mask(width: int = 40, height: int = 30) -> Image.Image:
    """Black, with a red rectangle at the left and a blue one at the right."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 4 - 1, height), fill="red")
    draw.rectangle((width // 2, 0, width, height), fill="blue")
    return image


def read(data: bytes, longest: int = 4096) -> Labels:
    return read_labels(decode(data, managed=False), longest)


@pytest.mark.parametrize("options", [{"image_format": "png"}, {"image_format": "webp", "lossless": True}])
def test_the_colours_beside_black_are_the_labels(options: dict[str, object]) -> None:
    labels = read(saved(mask(), **options))  # type: ignore[arg-type]
    assert labels.colours == (BLUE, RED)
    assert labels.size == (40, 30)
    numbers = labels.numbered((RED, BLUE))
    assert numbers.shape == (30, 40)
    assert numbers[7].tolist() == [1] * 10 + [0] * 10 + [2] * 20


@pytest.mark.parametrize("mode", ["P", "RGBA", "L", "1"])
def test_palettes_grey_and_transparency_are_colours_like_others(mode: str) -> None:
    image = mask().convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    expected = {"L": (0x1D1D1D, 0x4C4C4C), "1": (0xFFFFFF,)}.get(mode, (BLUE, RED))
    if mode == "1":  # no dithering, please
        image = mask().convert("L").point(lambda level: 255 if level else 0).convert("1")
    assert read(saved(image)).colours == expected


def test_a_profile_does_not_change_which_label_it_is() -> None:
    image = Image.new("RGB", (40, 30), (200, 60, 40))
    data = saved(image, icc_profile=display_p3())
    assert decode(data).rgb[:, 0, 0].tolist() != [200, 60, 40], (
        "the profile means nothing: this shows nothing"
    )
    assert read(data).colours == (0xC83C28,)


def test_a_large_one_is_reduced_without_new_colours() -> None:
    labels = read(saved(mask(999, 700)), longest=100)
    assert labels.codes.shape == (70, 100)
    assert set(labels.codes.flatten().tolist()) == {0, RED, BLUE}
    assert labels.size == (999, 700)
    assert (labels.codes == RED).float().mean().item() == pytest.approx(0.25, abs=0.01)


def test_a_small_one_is_not_enlarged() -> None:
    assert read(saved(mask()), longest=4096).codes.shape == (30, 40)


def test_it_is_turned_upright_like_the_photograph_that_it_belongs_to() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    labels = read(saved(mask(), exif=exif))
    assert labels.size == (30, 40)
    assert labels.numbered((RED, BLUE))[:, 5].tolist() == [1] * 10 + [0] * 10 + [2] * 20


def test_as_many_labels_as_allowed_and_black_are_read_and_one_more_is_refused() -> None:
    for count in (MAX_LABELS, MAX_LABELS + 1):
        pixels = np.zeros((30, 40, 3), dtype=np.uint8)
        for number in range(count):
            pixels[-1, 4 * number] = (number + 1, 0, 0)  # single pixels, in the last row
        data = saved(Image.fromarray(pixels))
        if count == MAX_LABELS:
            assert len(read(data, longest=16).colours) == MAX_LABELS, "although none is left at this size"
            continue
        with pytest.raises(
            TooManyLabels, match=r"more than 8 colours besides black.*PNG, without antialiasing"
        ):
            read(data, longest=16)


@pytest.mark.parametrize("how", ["jpeg", "antialiased", "photograph"])
def test_what_has_no_flat_colours_is_no_label_image(how: str) -> None:
    image = {
        "jpeg": mask(),
        "antialiased": mask(400, 300).rotate(10, Image.Resampling.BICUBIC),
        "photograph": Image.effect_noise((40, 30), 50).convert("RGB"),
    }[how]
    with pytest.raises(TooManyLabels):
        read(saved(image, "jpeg" if how == "jpeg" else "png"))


def test_numbers_are_places_in_the_list_and_0_is_everything_else() -> None:
    codes = torch.tensor([[0, RED, BLUE]], dtype=torch.int32)
    labels = Labels((BLUE, RED), codes, (3, 1))
    assert labels.numbered((RED,)).tolist() == [[0, 1, 0]]
    assert colour_name(0xFF00) == "#00ff00"
