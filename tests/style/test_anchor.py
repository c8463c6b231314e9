"""A picture that the result is held to."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from service.style import progress, resample
from service.style.anchor import Anchor
from service.style.colour.colours import luminance
from service.style.inputs import Inputs
from service.style.network.vgg import VGG
from service.style.options import Options
from service.style.progress import Result
from service.style.transfer import stylize
from tests.style.conftest import picture

OPTIONS = Options(size=64, iterations=12)
ANCHOR = picture(36, 48, seed=3)
LEFT, RIGHT = slice(0, 28), slice(36, 64)
"""Columns of the result, without those beside the border between what is held and what is not."""


def held(left: int = 255, right: int = 0) -> Tensor:
    plane = torch.full((1, 36, 48), right, dtype=torch.uint8)
    plane[:, :, :24] = left
    return plane


def paint(network: VGG, photograph: Tensor, artwork: Tensor, options: Options, anchor: Anchor) -> Result:
    return progress.finish(stylize(network, photograph, [artwork], options, anchor=anchor), lambda _: None)


def distance(result: Result, columns: slice) -> float:
    """Mean distance from the anchor, in steps of 1/255."""
    difference = result.image.int() - resample.lanczos(ANCHOR, (48, 64)).int()
    return difference[:, :, columns].float().abs().mean().item()


def test_the_more_it_weighs_the_closer_the_result_is_to_it_where_it_is_held(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    results = [
        paint(network, photograph, artwork, replace(OPTIONS, anchor_weight=weight), Anchor(ANCHOR, held()))
        for weight in (1e-4, 1e-2, 1.0)
    ]
    near = [distance(result, LEFT) for result in results]
    assert near == sorted(near, reverse=True)
    assert near[-1] < 1
    assert all(distance(result, RIGHT) > 20 for result in results), "the rest is painted as ever"


def test_half_of_the_hold_is_half_of_the_weight(network: VGG, photograph: Tensor, artwork: Tensor) -> None:
    x = torch.rand(1, 3, 48, 64)

    def loss(weight: float, level: int) -> float:
        inputs = Inputs(photograph, [artwork], anchor=Anchor(ANCHOR, held(level, level)))
        options = replace(OPTIONS, anchor_weight=weight)
        return inputs.objective(network, (48, 64), options).losses(x).anchor

    assert loss(0.02, 51) == pytest.approx(loss(0.004, 255), rel=1e-5)


def test_it_weighs_the_same_at_every_size(network: VGG, photograph: Tensor, artwork: Tensor) -> None:
    flat = Anchor(torch.zeros_like(photograph), held(255, 255))
    inputs = Inputs(photograph, [artwork], anchor=flat)
    options = replace(OPTIONS, anchor_weight=0.5)
    for size in ((48, 64), (96, 128)):
        x = torch.full((1, 3, *size), 1 / 255)
        assert inputs.objective(network, size, options).losses(x).anchor == pytest.approx(
            0.5 * 3 * 512**2, rel=1e-5
        )


def test_the_losses_count_it(network: VGG, photograph: Tensor, artwork: Tensor) -> None:
    losses = paint(
        network, photograph, artwork, replace(OPTIONS, anchor_weight=0.01), Anchor(ANCHOR, held())
    ).losses
    assert losses.anchor > 0
    assert losses.total == pytest.approx(losses.content + losses.style + losses.anchor)


def test_what_is_held_starts_as_the_anchor_and_the_rest_as_the_photograph(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    inputs = Inputs(photograph, [artwork], anchor=Anchor(ANCHOR, held()))
    drawing = inputs.drawing(inputs.palette((48, 64), OPTIONS))
    for columns, of in ((LEFT, ANCHOR), (RIGHT, photograph)):
        expected = resample.resize(of, (48, 64))[..., columns]
        torch.testing.assert_close(drawing[..., columns], expected, rtol=0, atol=1.01 / 255)  # both rounded


def test_where_nothing_is_held_nothing_changes(network: VGG, photograph: Tensor, artwork: Tensor) -> None:
    free = paint(
        network, photograph, artwork, replace(OPTIONS, anchor_weight=1.0), Anchor(ANCHOR, held(0, 0))
    )
    plain = progress.finish(stylize(network, photograph, [artwork], OPTIONS), lambda _: None)
    assert torch.equal(free.image, plain.image)


def test_colours_that_are_not_held_get_into_no_copy(photograph: Tensor, artwork: Tensor) -> None:
    inputs = Inputs(photograph, [artwork], anchor=Anchor(ANCHOR, held()))
    other = Inputs(
        photograph, [artwork], anchor=Anchor(torch.where(held() > 0, ANCHOR, 255 - ANCHOR), held())
    )
    for one, two in ((inputs, other), (other, inputs)):
        assert one.anchor is not None
        assert two.anchor is not None
        assert torch.equal(one.at(one.anchor.picture, (18, 24)), two.at(two.anchor.picture, (18, 24)))


def test_where_only_the_luminance_is_painted_the_anchors_luminance_holds(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    grey = torch.full_like(ANCHOR, 128)
    options = replace(OPTIONS, anchor_weight=1.0, color="content-luminance")
    result = paint(network, photograph, artwork, options, Anchor(grey, held()))
    y = luminance(resample.dequantise(result.image))[..., LEFT]
    assert (y - 128 / 255).abs().mean() < 4 / 255


def test_a_coloured_anchor_gives_a_grey_photograph_colours(network: VGG) -> None:
    grey = picture(36, 48, seed=1)[:1].expand(3, -1, -1)
    result = paint(network, grey, grey, replace(OPTIONS, anchor_weight=1.0), Anchor(ANCHOR, held()))
    assert (result.image.amax(0).int() - result.image.amin(0).int())[:, LEFT].max() > 30


@pytest.mark.parametrize(("weight", "anchor"), [(1.0, None), (0.0, Anchor(ANCHOR, held()))])
def test_an_anchor_and_its_weight_belong_together(
    network: VGG, photograph: Tensor, artwork: Tensor, weight: float, anchor: Anchor | None
) -> None:
    run = stylize(network, photograph, [artwork], replace(OPTIONS, anchor_weight=weight), anchor=anchor)
    with pytest.raises(ValueError, match="give both or neither"):
        next(run)
