"""Masks and starts with the real network: what can be seen of them, in numbers."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from devtools.painting import example
from service.style import resample
from service.style.loss import losses
from service.style.network.vgg import VGG
from service.style.options import PAPER_STYLE_LAYERS, Options
from service.style.progress import Result, finish
from service.style.regions import Masks
from service.style.transfer import stylize
from service.weights import load

OPTIONS = Options(size=128, iterations=60)
BORDER = 8
"""Pixels beside the border of a region, where a layer sees both sides of it."""


@pytest.fixture(scope="module")
def vgg16(vgg16_dir: Path) -> VGG:
    return load("vgg16", vgg16_dir).network


@pytest.fixture(scope="module")
def photograph() -> Tensor:
    return example("photos/chelsea")


@pytest.fixture(scope="module")
def artworks() -> list[Tensor]:
    return [example("styles/starfield-strokes"), example("styles/stained-glass")]


def paint(
    network: VGG,
    photograph: Tensor,
    artworks: list[Tensor],
    options: Options = OPTIONS,
    masks: Masks | None = None,
    start: Tensor | None = None,
) -> Result:
    return finish(stylize(network, photograph, artworks, options, masks=masks, start=start))


def sides(picture: Tensor, left: int, right: int) -> Tensor:
    """A mask of two halves."""
    mask = torch.full(picture.shape[-2:], left, dtype=torch.uint8)
    mask[:, mask.shape[1] // 2 :] = right
    return mask


def whole(picture: Tensor, number: int) -> Tensor:
    return torch.full(picture.shape[-2:], number, dtype=torch.uint8)


def style_distance(network: VGG, picture: Tensor, artwork: Tensor) -> float:
    """Eq. 5 of two pictures, uint8 (3, H, W), the artwork as a transfer of the example's size would see it."""
    size = resample.artwork_size(artwork.shape[-2], artwork.shape[-1], OPTIONS.size)
    ours = network(resample.dequantise(picture), PAPER_STYLE_LAYERS)
    theirs = network(resample.resize(artwork, size), PAPER_STYLE_LAYERS)
    return sum(
        weight * losses.style_layer_loss(losses.gram(ours[name]), losses.gram(theirs[name])).item()
        for name, weight in PAPER_STYLE_LAYERS.items()
    )


def inside(picture: Tensor) -> tuple[Tensor, Tensor]:
    """The left and the right half without what is beside the border."""
    middle = picture.shape[-1] // 2
    return picture[..., : middle - BORDER], picture[..., middle + BORDER :]


def mean_difference(a: Tensor, b: Tensor) -> float:
    """In steps of 1/255."""
    return (a.float() - b.float()).abs().mean().item()


@pytest.mark.weights
@pytest.mark.slow
def test_each_of_two_regions_gets_its_own_style_and_not_the_others(
    vgg16: VGG, photograph: Tensor, artworks: list[Tensor]
) -> None:
    masks = Masks(sides(photograph, 1, 2), [whole(artwork, n) for n, artwork in enumerate(artworks, 1)])
    left, right = inside(paint(vgg16, photograph, artworks, masks=masks).image)
    before = inside(resample.quantise(resample.resize(photograph, (85, 128))))
    for side, own, other, photo in ((left, 0, 1, before[0]), (right, 1, 0, before[1])):
        distance = style_distance(vgg16, side, artworks[own])
        assert distance < 0.1 * style_distance(vgg16, side, artworks[other])
        assert distance < 0.1 * style_distance(vgg16, photo, artworks[own])


@pytest.mark.weights
@pytest.mark.slow
def test_the_parts_of_one_artwork_go_to_the_regions_of_their_colour(
    vgg16: VGG, photograph: Tensor, artworks: list[Tensor]
) -> None:
    """One artwork whose halves differ, mirrored by the masks: left comes from its right and right from its left."""
    size = (128, 128)
    halves = [resample.quantise(resample.resize(artwork, size)) for artwork in artworks]
    both = torch.cat(halves, dim=2)
    masks = Masks(sides(photograph, 2, 1), [sides(both, 1, 2)])
    left, right = inside(paint(vgg16, photograph, [both], masks=masks).image)
    small = [resample.quantise(resample.resize(half, (64, 64))) for half in halves]
    assert style_distance(vgg16, left, small[1]) < 0.2 * style_distance(vgg16, left, small[0])
    assert style_distance(vgg16, right, small[0]) < 0.2 * style_distance(vgg16, right, small[1])


@pytest.mark.weights
def test_a_mask_of_one_region_paints_what_no_mask_paints(
    vgg16: VGG, photograph: Tensor, artworks: list[Tensor]
) -> None:
    """Of one artwork: the mean of several is rounded in another order, which the descent amplifies."""
    options = Options(size=64, iterations=12)
    plain = paint(vgg16, photograph, artworks[:1], options)
    masked = paint(vgg16, photograph, artworks[:1], options, Masks(whole(photograph, 1)))
    assert torch.equal(masked.image, plain.image)


@pytest.mark.weights
@pytest.mark.slow
def test_black_stays_the_photograph_and_the_rest_is_painted_as_strongly_as_without(
    vgg16: VGG, photograph: Tensor, artworks: list[Tensor]
) -> None:
    plain = paint(vgg16, photograph, artworks[:1])
    masked = paint(vgg16, photograph, artworks[:1], masks=Masks(sides(photograph, 1, 0)))
    left, right = inside(masked.image)
    before = inside(resample.quantise(resample.resize(photograph, (85, 128))))
    assert mean_difference(right, before[1]) == 0
    usual = style_distance(vgg16, inside(plain.image)[0], artworks[0])
    assert style_distance(vgg16, left, artworks[0]) < 2 * usual
    assert style_distance(vgg16, before[0], artworks[0]) > 10 * usual, "it was that way before"


@pytest.mark.weights
def test_a_picture_to_start_from_is_still_there_after_one_evaluation_and_seen_in_the_end(
    vgg16: VGG, photograph: Tensor, artworks: list[Tensor]
) -> None:
    start = resample.quantise(resample.resize(example("photos/rocket"), (43, 64)))
    first = paint(vgg16, photograph, artworks, Options(size=64, iterations=1, init="image"), start=start)
    assert mean_difference(first.image, start) < 5
    assert mean_difference(first.image, resample.quantise(resample.resize(photograph, (43, 64)))) > 30
    last = paint(vgg16, photograph, artworks, Options(size=64, iterations=20, init="image"), start=start)
    usual = paint(vgg16, photograph, artworks, Options(size=64, iterations=20))
    assert mean_difference(last.image, start) < mean_difference(usual.image, start)
