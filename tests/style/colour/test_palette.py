"""What the network sees of the pictures and what is delivered, for each `color`."""

from typing import get_args

import pytest
import torch
from torch import Tensor

from service.style import resample
from service.style.colour import colours
from service.style.colour.palette import GREY, PALETTES, GreyPalette, LuminancePalette, is_grey
from service.style.options import Color

# Red's, green's and blue's part in Cb and Cr of BT.601, full range.
CHROMA = torch.tensor([[-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


def chroma(picture: Tensor) -> Tensor:
    """Cb and Cr, (1, 2, H, W)."""
    return torch.einsum("ij,bjhw->bihw", CHROMA, picture)


@pytest.fixture
def photograph() -> Tensor:
    """8-bit colours, the corners of the cube among them."""
    generator = torch.Generator().manual_seed(0)
    picture = torch.randint(0, 256, (1, 3, 24, 32), generator=generator).float() / 255
    picture[..., :8] = picture[..., :8].round()
    return picture


@pytest.fixture
def artwork() -> Tensor:
    return torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(1)) ** 2


def test_there_is_one_for_each_color() -> None:
    assert set(PALETTES) == set(get_args(Color))


@pytest.mark.parametrize("color", get_args(Color))
def test_the_photograph_itself_is_delivered_as_it_is(color: Color, photograph: Tensor) -> None:
    palette = PALETTES[color](photograph)
    torch.testing.assert_close(palette.compose(palette.photograph), photograph, rtol=0, atol=1e-6)
    assert torch.equal(palette.seen(photograph), palette.photograph)


def test_a_matched_artwork_has_the_photographs_statistics(photograph: Tensor, artwork: Tensor) -> None:
    matched = PALETTES["content-match"](photograph).artwork(artwork)
    for ours, wanted in zip(colours.statistics(matched), colours.statistics(photograph), strict=True):
        torch.testing.assert_close(ours, wanted, rtol=0, atol=1e-5)


def test_whatever_luminance_is_painted_the_chroma_is_the_photographs(photograph: Tensor) -> None:
    palette = LuminancePalette(photograph)
    for seed in range(5):
        y = torch.randn(1, 1, 24, 32, generator=torch.Generator().manual_seed(seed)) + 0.5
        composed = palette.compose(y)
        assert composed.min() >= -1e-6
        assert composed.max() <= 1 + 1e-6
        delivered = resample.dequantise(resample.quantise(composed))
        assert (chroma(delivered) - chroma(photograph)).abs().max() < 0.51 / 255


def test_luminance_is_free_as_far_as_the_cube_goes(photograph: Tensor) -> None:
    palette = LuminancePalette(photograph)
    assert (palette.high >= palette.low).all()
    darkest, brightest = (palette.compose(bound.clone()) for bound in (palette.low, palette.high))
    assert darkest.amin(1).abs().max() < 1e-6
    assert (brightest.amax(1) - 1).abs().max() < 1e-6
    grey = LuminancePalette(torch.full((1, 3, 2, 2), 0.3))
    assert (grey.low.max().item(), grey.high.min().item()) == pytest.approx((0, 1))


def test_luminance_of_an_artwork_is_matched_to_that_of_the_photograph(
    photograph: Tensor, artwork: Tensor
) -> None:
    seen = LuminancePalette(photograph).artwork(artwork)
    y = colours.luminance(photograph)
    assert seen.shape == (1, 1, 20, 20)
    assert seen.mean().item() == pytest.approx(y.mean().item(), abs=1e-5)
    assert seen.std(correction=0).item() == pytest.approx(y.std(correction=0).item(), abs=1e-5)


# Grey.


def test_a_grey_palette_has_one_channel_and_delivers_three_equal_ones(photograph: Tensor) -> None:
    grey = photograph.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    palette = GreyPalette(PALETTES["style"](grey))
    assert palette.photograph.shape == (1, 1, 24, 32)
    torch.testing.assert_close(palette.compose(palette.photograph), grey)
    assert palette.artwork(grey).shape == (1, 1, 24, 32)


def test_a_grey_matched_palette_gives_a_coloured_artwork_the_photographs_greys(
    photograph: Tensor, artwork: Tensor
) -> None:
    grey = photograph.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    matched = PALETTES["content-match"](grey)
    colourless = matched.artwork(artwork)
    torch.testing.assert_close(
        colourless, colourless.mean(1, keepdim=True).expand_as(colourless), rtol=0, atol=1e-5
    )
    torch.testing.assert_close(GreyPalette(matched).artwork(artwork), colourless[:, :1], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("difference", "grey"), [(0, True), (GREY, True), (GREY + 1, False)])
def test_a_picture_is_grey_where_its_channels_are_equal_but_for_rounding(difference: int, grey: bool) -> None:
    picture = torch.full((3, 40, 50), 100, dtype=torch.uint8)
    picture[1, 7, 9] += difference
    assert is_grey(picture) is grey
