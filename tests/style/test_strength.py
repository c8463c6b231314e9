"""How strongly each part is painted."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from service.style import progress, resample
from service.style.inputs import Inputs
from service.style.network.vgg import VGG
from service.style.options import (
    FADE,
    Options,
    strength_to_content_weight,
    strength_to_opacity,
    weights_to_strength,
)
from service.style.regions import Masks
from service.style.strength import amounts, opacity
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


@pytest.mark.parametrize("strength", [0.05, 0.2, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("grey", [0.0, 0.3, 0.5, 1.0])
def test_each_place_has_the_weight_and_the_opacity_of_its_own_strength(strength: float, grey: float) -> None:
    options, mask = of_strength(strength), torch.full((1, 1, 32, 48), grey)
    weights = options.content_weight * amounts(mask, "conv4_2", options)
    assert weights.shape == (4, 6)
    own = max(grey * strength, min(FADE, strength))  # below, the photograph shows through
    assert weights.max().item() == pytest.approx(strength_to_content_weight(own), rel=1e-4)
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


@pytest.mark.parametrize("strength", [0.0, FADE, 0.5, 1.0])
def test_the_strength_of_weights_is_the_one_that_gives_them(strength: float) -> None:
    assert weights_to_strength(strength_to_content_weight(strength), 1.0) == pytest.approx(strength)


def test_a_soft_edge_is_even_in_strength() -> None:
    ramp = torch.linspace(0.5, 1, 64).expand(1, 1, 64, 64)
    logs = amounts(ramp, "conv4_2", LOCAL).log10()[0]
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
