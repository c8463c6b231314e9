import math

import numpy as np
import pytest
from PIL import Image, ImageFilter

from examples.figures.measures import as_large, correlation_length, mean_error, psnr


def grey(level: int) -> Image.Image:
    return Image.new("RGB", (40, 30), (level, level, level))


def noise(blur: float) -> Image.Image:
    """White noise, the same each time, blurred by so many pixels and stretched to full contrast."""
    pixels = np.random.default_rng(1).normal(size=(256, 320))
    image = Image.fromarray((128 + 40 * pixels).clip(0, 255).astype(np.uint8))
    return image.filter(ImageFilter.GaussianBlur(blur)).convert("RGB")


def test_errors_are_in_steps_of_1_255() -> None:
    assert mean_error(grey(100), grey(103)) == 3
    assert psnr(grey(0), grey(255)) == 0
    assert psnr(grey(100), grey(101)) == pytest.approx(20 * math.log10(255))
    assert psnr(grey(7), grey(7)) == math.inf


def test_an_original_is_compared_upright_and_in_the_size_of_the_picture() -> None:
    original = Image.new("RGB", (40, 30))
    original.getexif()[0x0112] = 6  # a quarter turn
    assert as_large(original, grey(0).rotate(90, expand=True)).size == (30, 40)


@pytest.mark.parametrize("blur", [2, 4])
def test_the_correlation_length_of_blurred_noise_is_twice_its_blur(blur: float) -> None:
    """Noise blurred by a Gaussian of s has the autocorrelation exp(-r²/4s²), which is 1/e at r = 2s."""
    assert correlation_length(noise(blur)) == pytest.approx(2 * blur, rel=0.2)


def test_white_noise_has_nearly_no_length_and_one_colour_none() -> None:
    assert correlation_length(noise(0)) < 1
    assert correlation_length(grey(9)) == 0
