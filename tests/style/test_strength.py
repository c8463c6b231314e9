"""How strongly a picture is painted, and each part of it."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from service.style import progress, resample
from service.style.inputs import Inputs
from service.style.network.vgg import VGG
from service.style.options import Options
from service.style.regions import Masks
from service.style.strength import (
    amounts,
    opacity,
    opacity_to_strength,
    strength_to_content_weight,
    strength_to_opacity,
)
from service.style.transfer import stylize

OPTIONS = Options(size=64, iterations=12)
LOCAL = replace(OPTIONS, local_strength=True)


def of_strength(strength: float) -> Options:
    return replace(
        LOCAL, content_weight=strength_to_content_weight(strength), opacity=strength_to_opacity(strength)
    )


def halves(left: int, right: int) -> Tensor:
    plane = torch.full((1, 36, 48), right, dtype=torch.uint8)
    plane[:, :, :24] = left
    return plane


def test_strength_goes_from_the_photograph_over_the_papers_ratio_to_hardly_the_photograph() -> None:
    ratios = [strength_to_content_weight(strength) for strength in (0, 0.25, 0.5, 0.75, 1)]
    assert ratios == pytest.approx([1e-2, 10**-2.5, 1e-3, 5.05e-4, 1e-5])
    assert strength_to_content_weight(0.5) == Options().content_weight


def test_the_photograph_shows_through_the_less_the_stronger_and_from_the_papers_ratio_on_not_at_all() -> None:
    opacities = [strength_to_opacity(strength) for strength in (0, 0.1, 0.25, 0.4, 0.5, 0.7, 1)]
    assert opacities == pytest.approx([0, 0.2546, 0.5548, 0.8272, 1, 1, 1], abs=1e-4)


@pytest.mark.parametrize("strength", [0, 0.01, 0.07, 0.3, 0.49])
def test_an_opacity_tells_which_strength_it_comes_from(strength: float) -> None:
    assert opacity_to_strength(strength_to_opacity(strength)) == pytest.approx(strength, abs=1e-12)


@pytest.mark.parametrize("strength", [-0.01, 1.01, float("nan")])
def test_a_strength_outside_its_range_is_refused(strength: float) -> None:
    with pytest.raises(ValueError, match="give a number from 0 to 1"):
        strength_to_content_weight(strength)


@pytest.mark.parametrize("strength", [0.05, 0.2, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("grey", [0.0, 0.3, 0.5, 1.0])
def test_each_place_has_the_weight_and_the_opacity_of_its_own_strength(strength: float, grey: float) -> None:
    options, mask = of_strength(strength), torch.full((1, 1, 32, 48), grey)
    weights = options.content_weight * amounts(mask, "conv4_2", options)
    assert weights.shape == (4, 6)
    assert weights.max().item() == pytest.approx(strength_to_content_weight(grey * strength), rel=1e-4)
    assert opacity(mask, options).max().item() == pytest.approx(
        strength_to_opacity(grey * strength), abs=1e-6
    )


@pytest.mark.parametrize("weights", [(1e-3, 1.0), (1e-12, 1.0), (10.0, 0.5), (1.0, 0.0)])
def test_weights_of_their_own_are_what_white_stands_for(weights: tuple[float, float]) -> None:
    options = replace(LOCAL, content_weight=weights[0], style_weight=weights[1])
    white = torch.ones(1, 1, 32, 32)
    assert (amounts(white, "conv1_1", options) == 1).all()
    assert (opacity(white, options) == 1).all()
    assert amounts(0 * white, "conv1_1", options).isfinite().all()
    assert (opacity(0 * white, options) == 0).all()


@pytest.mark.parametrize("strength", [0.5, 0.6, 0.9, 1.0])
def test_weights_of_their_own_have_the_strength_that_gives_them(strength: float) -> None:
    half = torch.full((1, 1, 32, 32), 0.5)
    scale = 3.0  # of both weights: only their ratio counts
    own = replace(LOCAL, content_weight=scale * strength_to_content_weight(strength), style_weight=scale)
    torch.testing.assert_close(
        amounts(half, "conv4_2", own), amounts(half, "conv4_2", of_strength(strength)), rtol=1e-4, atol=0
    )
    torch.testing.assert_close(opacity(half, own), opacity(half, of_strength(strength)), rtol=1e-4, atol=0)


def test_a_soft_edge_is_even_in_strength() -> None:
    """Below the middle a is a power of the grey: its logarithm is even where the grey is."""
    ramp = torch.linspace(0.5, 1, 64).expand(1, 1, 64, 64)
    logs = amounts(ramp, "conv4_2", of_strength(0.5)).log10()[0]
    torch.testing.assert_close(logs.diff(), logs.diff().mean().expand(7), rtol=1e-3, atol=1e-4)


def test_black_stays_the_photograph_and_white_is_painted(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    run = stylize(network, photograph, [artwork], LOCAL, strength=halves(0, 255))
    change = progress.finish(run, lambda _: None).image.int() - resample.lanczos(photograph, (48, 64)).int()
    assert (change[:, :, :28] == 0).all()
    assert change[:, :, 36:].abs().float().mean() > 10


def test_grey_keeps_more_of_the_content_than_white(network: VGG, photograph: Tensor, artwork: Tensor) -> None:
    """By the distance of the responses, position by position."""
    distances = []
    for level in (255, 160):
        run = stylize(network, photograph, [artwork], LOCAL, strength=halves(level, 255))
        image = progress.finish(run, lambda _: None).image
        names = ["conv4_2"]
        responses = network(resample.dequantise(image), names)["conv4_2"]
        target = network(resample.resize(photograph, (48, 64)), names)["conv4_2"]
        distances.append((responses - target)[..., :3].square().sum().item())
    assert distances[1] < 0.7 * distances[0]


def test_all_white_changes_nothing(network: VGG, photograph: Tensor, artwork: Tensor) -> None:
    images = [
        progress.finish(run, lambda _: None).image
        for run in (
            stylize(network, photograph, [artwork], OPTIONS),
            stylize(network, photograph, [artwork], LOCAL, strength=halves(255, 255)),
        )
    ]
    assert torch.equal(*images)


def test_it_goes_together_with_regions(network: VGG, photograph: Tensor, artwork: Tensor) -> None:
    top = torch.zeros(36, 48, dtype=torch.uint8)
    top[:18] = 1
    run = stylize(network, photograph, [artwork], LOCAL, masks=Masks(top), strength=halves(0, 255))
    change = progress.finish(run, lambda _: None).image.int() - resample.lanczos(photograph, (48, 64)).int()
    painted = change.abs().float().mean(0)
    assert (painted[:, :28] == 0).all(), "held to the photograph"
    assert (painted[30:] == 0).all(), "of no region"
    assert painted[:20, 36:].mean() > 10


def test_the_losses_are_those_that_are_minimised(network: VGG, photograph: Tensor, artwork: Tensor) -> None:
    """The gradient with amounts equals autograd's, in strips as well."""
    inputs = Inputs(photograph, [artwork], strength=halves(0, 255))
    for recomputed in (0, 3):
        objective = inputs.objective(network, (48, 64), LOCAL, recomputed=recomputed)
        content = [term for term in objective.terms if term.name.startswith("content/")]
        objective.descended = content
        x = resample.resize(artwork, (48, 64)).requires_grad_()
        responses = network(x, ["conv4_2"])["conv4_2"]
        loss = content[0].loss_of(content[0].share(responses))
        (expected,) = torch.autograd.grad(loss, x)
        found, gradient = objective.loss_and_gradient(x.detach())
        torch.testing.assert_close(found, loss.detach(), rtol=1e-4, atol=0)
        torch.testing.assert_close(gradient, expected, rtol=1e-3, atol=1e-4 * expected.abs().max().item())


@pytest.mark.parametrize(("local", "mask"), [(True, None), (False, halves(0, 255))])
def test_the_mask_and_its_option_belong_together(
    network: VGG, photograph: Tensor, artwork: Tensor, local: bool, mask: Tensor | None
) -> None:
    run = stylize(network, photograph, [artwork], replace(OPTIONS, local_strength=local), strength=mask)
    with pytest.raises(ValueError, match="give both or neither"):
        next(run)
