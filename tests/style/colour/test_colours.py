"""One picture's colours given to another, as statistics."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from service.images import decode
from service.style.colour.colours import luminance, match, statistics

EXAMPLES = Path(__file__).parents[3] / "examples"


def random_picture(seed: int, height: int = 20, width: int = 30) -> Tensor:
    """Skewed and correlated, as colours of paintings are; (1, 3, height, width) in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.rand(3, 3, generator=generator)
    noise = torch.rand(1, 3, height, width, generator=generator) ** (seed + 1)
    return torch.einsum("ij,bjhw->bihw", mixing / mixing.sum(1, keepdim=True), noise)


def example(name: str) -> Tensor:
    return decode((EXAMPLES / name).read_bytes()).rgb[None].float() / 255


def test_luminance_is_that_of_bt601() -> None:
    colours = torch.eye(3).view(3, 3, 1, 1)
    assert [luminance(colour[None]).item() for colour in colours] == pytest.approx([0.299, 0.587, 0.114])
    assert luminance(torch.full((1, 3, 2, 2), 0.4)) == pytest.approx(torch.full((1, 1, 2, 2), 0.4))


def test_statistics_are_those_of_numpy() -> None:
    picture = random_picture(1)
    pixels = picture[0].flatten(1).double().numpy()
    mean, covariance = statistics(picture)
    assert mean.numpy() == pytest.approx(pixels.mean(1))
    assert covariance.numpy() == pytest.approx(np.cov(pixels, bias=True))


@pytest.mark.parametrize("artwork", ["stained-glass", "indigo-waves", "sepia-valley"])
@pytest.mark.parametrize("photograph", ["chelsea", "rocket"])
def test_an_artwork_gets_the_mean_and_the_covariance_of_the_photograph(photograph: str, artwork: str) -> None:
    p, a = example(f"photos/{photograph}.jpg"), example(f"styles/{artwork}.jpg")
    matched = match(a, p)
    assert matched.shape == a.shape
    assert matched.dtype == torch.float32
    assert (statistics(a)[0] - statistics(p)[0]).abs().max() > 0.02, "they differed: this shows something"
    for ours, wanted in zip(statistics(matched), statistics(p), strict=True):
        assert (ours - wanted).abs().max() < 1e-5


def test_a_picture_in_its_own_colours_stays_as_it_is() -> None:
    picture = random_picture(2)
    assert (match(picture, picture) - picture).abs().max() < 1e-6


def test_its_square_roots_are_symmetric() -> None:
    """Of the maps with the same statistics it is the one whose matrix is Σ_p^½ Σ_a^-½: here they commute."""
    p, a = random_picture(3), random_picture(3) * 0.5 + 0.2
    torch.testing.assert_close(match(a, p), p, rtol=0, atol=1e-6)


def test_luminance_gets_the_mean_and_the_standard_deviation() -> None:
    p, a = luminance(random_picture(1)), luminance(random_picture(2))
    expected = p.std(correction=0) / a.std(correction=0) * (a - a.mean()) + p.mean()
    torch.testing.assert_close(match(a, p), expected)


def test_an_artwork_of_one_colour_becomes_the_photographs_mean() -> None:
    p, a = random_picture(1), torch.full((1, 3, 8, 8), 0.3)
    matched = match(a, p)
    mean = statistics(p)[0].float().view(1, 3, 1, 1)
    torch.testing.assert_close(matched, mean.expand_as(matched))


def test_a_photograph_of_one_colour_leaves_no_other() -> None:
    assert (match(random_picture(1), torch.full((1, 3, 8, 8), 0.3)) - 0.3).abs().max() < 1e-6


def test_rounding_in_a_grey_artwork_does_not_become_coloured_noise() -> None:
    p = random_picture(1, 64, 64)
    grey = random_picture(2, 64, 64)[:, :1].repeat(1, 3, 1, 1)
    noise = (torch.rand(grey.shape, generator=torch.Generator().manual_seed(0)) - 0.5) / 255
    difference = match(grey + noise, p) - match(grey, p)
    # No direction is stretched by more than 255 times the photograph's deviation.
    largest = torch.linalg.eigvalsh(statistics(p)[1]).max().sqrt()
    assert difference.std() < 1.05 * 255 * largest * noise.std()
    assert difference.std() < 0.15 * p.std()
