import numpy as np
import pytest
import torch
from PIL import Image

from service.style import resample


@pytest.mark.parametrize(
    ("height", "width", "longest", "expected"),
    [
        (3000, 4000, 256, (192, 256)),
        (100, 100, 64, (64, 64)),
        (37, 1000, 500, (18, 500)),
        (900, 3, 300, (300, 1)),
    ],
)
def test_fit_keeps_the_aspect_ratio(height: int, width: int, longest: int, expected: tuple[int, int]) -> None:
    assert resample.fit(height, width, longest) == expected


def test_an_artwork_is_never_enlarged() -> None:
    assert resample.artwork_size(80, 100, 4000) == (80, 100)


def test_an_artwork_keeps_its_aspect_ratio() -> None:
    assert resample.artwork_size(800, 1000, 250) == (200, 250)


def test_a_narrow_artwork_keeps_the_pixels_that_the_network_needs() -> None:
    assert resample.artwork_size(100, 2000, 64) == (16, 320)
    assert min(resample.artwork_size(20, 3000, 64)) >= resample.SMALLEST_SIDE


def test_an_endless_strip_does_not_take_the_memory_of_a_large_picture() -> None:
    assert resample.artwork_size(16, 2_500_000, 64) == (16, 1024)


def test_resize_is_pillows_lanczos() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(pixels).resize((30, 20), Image.Resampling.LANCZOS))
    ours = resample.resize(torch.from_numpy(pixels).permute(2, 0, 1), (20, 30))
    assert ours.shape == (1, 3, 20, 30)
    assert ours.dtype == torch.float32
    np.testing.assert_array_equal((ours[0] * 255).round().permute(1, 2, 0).numpy(), expected)


def test_quantise_and_dequantise_are_inverse_on_8_bit_pictures() -> None:
    picture = torch.randint(0, 256, (3, 9, 7), dtype=torch.uint8)
    assert torch.equal(resample.quantise(resample.dequantise(picture)), picture)


def test_so_they_are_on_16_bit_pictures() -> None:
    picture = torch.arange(0, 65536, 5).to(torch.uint16)[: 3 * 4368].view(3, 56, 78)
    assert torch.equal(resample.quantise(resample.dequantise(picture), 16), picture)


def test_8_bits_are_257_times_as_many_of_16() -> None:
    picture = torch.arange(256, dtype=torch.uint8).repeat(3).view(3, 16, 16)
    deep = resample.quantise(resample.dequantise(picture), 16)
    assert torch.equal(deep.int(), 257 * picture.int())


def test_quantise_clamps_and_rounds() -> None:
    values = torch.tensor([-0.2, 0.0, 0.4999 / 255, 0.5001 / 255, 1.0, 1.7]).view(1, 1, 2, 3)
    assert resample.quantise(values).flatten().tolist() == [0, 0, 0, 1, 255, 255]


def test_reduce_brings_a_large_picture_to_the_size_it_is_used_at_and_leaves_a_small_one_alone() -> None:
    large = torch.randint(0, 256, (3, 300, 400), dtype=torch.uint8)
    small = resample.reduce(large, 100)
    assert small.shape == (3, 75, 100)
    assert torch.equal(small, resample.quantise(resample.resize(large, (75, 100))))
    assert resample.reduce(large, 400) is large
    assert resample.reduce(large, 1000) is large
