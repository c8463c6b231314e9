"""Regions with styles of their own, on a small random network."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from service.style import resample
from service.style.inputs import Inputs
from service.style.loss import losses
from service.style.loss.objective import Objective
from service.style.loss.terms import StyleTerm
from service.style.network.vgg import VGG
from service.style.options import PAPER_STYLE_LAYERS, Options
from service.style.regions import Masks, coverage, guides, style_terms
from service.style.transfer import score, stylize
from tests.style.conftest import thin_network
from tests.style.test_transfer import SMALL, finish

LAYERS = list(PAPER_STYLE_LAYERS)


def halves(height: int, width: int, left: int = 1, right: int = 2) -> Tensor:
    """A mask of two regions side by side."""
    mask = torch.full((height, width), left, dtype=torch.uint8)
    mask[:, width // 2 :] = right
    return mask


def whole(picture: Tensor, number: int = 1) -> Tensor:
    return torch.full(picture.shape[-2:], number, dtype=torch.uint8)


def style_of(objective: Objective) -> list[StyleTerm]:
    return [term for term in objective.terms if isinstance(term, StyleTerm)]


def test_coverage_is_the_part_of_each_pixel_that_belongs_to_the_region() -> None:
    mask = torch.tensor([[1, 1, 2, 0], [1, 2, 2, 0]], dtype=torch.uint8)
    assert coverage(mask, 1, (1, 2)).flatten().tolist() == [0.75, 0.0]
    assert coverage(mask, 2, (1, 2)).flatten().tolist() == [0.25, 0.5]
    assert coverage(mask, 1, (4, 8))[0, 0, 0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0], "enlarged without blur"


def test_the_regions_and_what_is_not_painted_add_up_to_the_picture_at_every_size() -> None:
    mask = torch.randint(0, 4, (37, 53), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    for size in ((37, 53), (16, 22), (64, 91)):
        total = torch.stack([coverage(mask, number, size) for number in range(4)]).sum(0)
        torch.testing.assert_close(total, torch.ones(1, 1, *size))


def test_guides_have_the_sizes_of_the_responses_and_are_pooled_like_them(network: VGG) -> None:
    covered = torch.rand(1, 1, 45, 63, generator=torch.Generator().manual_seed(1))
    found = guides(covered, network.layers)
    for layer, response in network(torch.zeros(1, 3, 45, 63), network.layers).items():
        assert found[layer].shape == response.shape[-2:]
    assert found["conv3_2"][2, 5].item() == pytest.approx(covered[0, 0, 8:12, 20:24].mean().item())


def test_a_layer_that_nothing_of_a_region_comes_down_to_has_no_guide() -> None:
    covered = torch.zeros(1, 1, 21, 21)
    covered[..., -1] = 1  # pooling floors: the last of 21 columns is not seen by the second block
    assert set(guides(covered, LAYERS)) == {"conv1_1"}


def test_one_region_that_is_the_whole_picture_equals_none(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    mask = Masks(whole(photograph))
    x = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(2))
    plain, masked, both = (
        Inputs(photograph, [artwork], masks).objective(network, (48, 64), Options())
        for masks in (None, mask, replace(mask, artworks=[whole(artwork)]))
    )
    loss, gradient = plain.loss_and_gradient(x)
    for objective in (masked, both):
        ours = objective.loss_and_gradient(x)
        torch.testing.assert_close(ours[0], loss)
        torch.testing.assert_close(ours[1], gradient, rtol=1e-4, atol=1e-5 * gradient.abs().max().item())
        assert objective.losses(x).layers == pytest.approx(plain.losses(x).layers)
    first, _ = finish(stylize(network, photograph, [artwork], SMALL))
    second, _ = finish(stylize(network, photograph, [artwork], SMALL, masks=mask))
    assert second.losses.total == pytest.approx(first.losses.total, rel=0.02)


def test_the_gradient_of_regions_equals_autograds() -> None:
    network = thin_network().double()
    generator = torch.Generator().manual_seed(3)
    x, a, b = (
        torch.rand(1, 3, *size, dtype=torch.float64, generator=generator)
        for size in [(37, 46), (32, 40), (48, 33)]
    )
    x.requires_grad_()
    masks = Masks(halves(37, 46), [halves(32, 40), whole(b[0], 2)])
    weights = dict.fromkeys(LAYERS, 0.2)
    # Inputs makes pictures of 8 bits; here nothing is rounded.
    terms = style_terms(network, masks, [a, b], [1.0, 2.0], weights, (37, 46))
    assert {(term.region, term.layer) for term in terms} == {(r, name) for r in (1, 2) for name in LAYERS}
    objective = Objective(network, terms)
    responses = network(x, LAYERS)
    parts = [term.loss_of(term.share(responses[term.layer])) for term in objective.descended]
    (expected,) = torch.autograd.grad(torch.stack(parts).sum(), x)
    ours = objective.loss_and_gradient(x.detach())[1]
    torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-9 * expected.abs().max().item())


@pytest.mark.parametrize("scale", [1, 1e-300])
def test_the_target_of_a_region_is_the_blend_of_the_artworks_that_are_examples_for_it(
    network: VGG, photograph: Tensor, artwork: Tensor, scale: float
) -> None:
    artworks = [artwork, artwork.flip(0), photograph]
    masks = Masks(halves(36, 48), [whole(artwork, 1), whole(artwork, 1), halves(36, 48, 0, 2)])
    options = Options(style_blend=(3 * scale, scale, 5), style_layers={"conv2_1": 1.0}, content_weight=0)
    terms = style_of(Inputs(photograph, artworks, masks).objective(network, (45, 60), options))
    responses = [network(resample.dequantise(picture), ["conv2_1"])["conv2_1"] for picture in artworks]
    first = 0.75 * losses.gram(responses[0]) + 0.25 * losses.gram(responses[1])
    second = losses.gram(responses[2][..., 12:])
    assert [term.region for term in terms] == [1, 2]
    torch.testing.assert_close(terms[0].target, first, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(terms[1].target, second, rtol=1e-3, atol=1e-3)


def test_a_region_counts_by_its_share_of_the_picture(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    mask = whole(photograph, 0)
    mask[:, :12] = 2
    mask[:, 36:] = 1
    mask[:18, 36:] = 0
    terms = style_of(Inputs(photograph, [artwork], Masks(mask)).objective(network, (36, 48), Options()))
    assert {(term.region, round(term.weight / 0.2, 6)) for term in terms} == {(1, 0.125), (2, 0.25)}


def test_a_small_region_keeps_its_layers_in_the_descent(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    mask = whole(photograph)
    mask[4:6, 4:6] = 2
    objective = Inputs(photograph, [artwork], Masks(mask)).objective(network, (36, 48), Options())
    layers = {
        number: [t.layer for t in objective.descended if isinstance(t, StyleTerm) and t.region == number]
        for number in (1, 2)
    }
    assert layers[2] == layers[1] != []


@pytest.mark.parametrize("init", ["content", "noise"])
def test_what_is_not_painted_is_the_photograph_to_the_last_bit(
    network: VGG, photograph: Tensor, artwork: Tensor, init: str
) -> None:
    options = replace(SMALL, size=128, init=init)  # type: ignore[arg-type]
    result, steps = finish(
        stylize(network, photograph, [artwork], options, masks=Masks(halves(36, 48, 1, 0)))
    )
    expected = resample.quantise(resample.resize(photograph, (96, 128)))
    difference = (result.image.int() - expected.int()).abs()
    assert difference[..., 64 + 3 :].max() == 0
    assert difference[..., : 64 - 3].float().mean() > 5
    assert steps[-1].loss < steps[-3].loss


def test_a_region_too_small_for_every_layer_leaves_the_photograph(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    """The last column of 45 is floored away before conv3_1, and content does not count."""
    mask = torch.zeros(60, 45, dtype=torch.uint8)
    mask[:, -1] = 1
    tall = resample.quantise(resample.resize(photograph, (60, 45)))
    options = Options(size=60, iterations=5, content_weight=0, style_layers={"conv3_1": 1.0})
    result, _ = finish(stylize(network, tall, [artwork], options, masks=Masks(mask)))
    assert (result.losses.total, result.stopped) == (0, "converged")
    assert (result.image.int() - tall.int()).abs()[..., :40].max() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_any_masks_give_a_finite_result(
    network: VGG, photograph: Tensor, artwork: Tensor, dtype: torch.dtype
) -> None:
    generator = torch.Generator().manual_seed(4)
    for shape in ((36, 48), (200, 260), (3, 4)):
        noise = torch.randint(0, 9, shape, dtype=torch.uint8, generator=generator)
        dot = torch.ones(shape, dtype=torch.uint8)
        dot[-1, -1] = 2
        for masks in (Masks(noise), Masks(dot), Masks(dot, [dot]), Masks(dot, [noise])):
            result, _ = finish(
                stylize(
                    network.with_dtype(dtype),
                    photograph,
                    [artwork],
                    replace(SMALL, iterations=4),
                    masks=masks,
                )
            )
            assert torch.tensor(list(result.losses.layers.values())).isfinite().all()
            assert result.losses.style > 0


def test_the_losses_are_those_of_the_delivered_bytes_with_masks_too(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    masks = Masks(halves(36, 48), [halves(50, 40)])
    result, _ = finish(stylize(network, photograph, [artwork], SMALL, masks=masks))
    scored = score(network, photograph, [artwork], result.image, SMALL, masks)
    assert scored.total == pytest.approx(result.losses.total, rel=1e-5)
    assert set(scored.layers) == {"content/conv4_2", *(f"style/{name}" for name in LAYERS)}


def mean_difference(a: Tensor, b: Tensor) -> float:
    return (a.float() - b.float()).abs().mean().item()


def test_a_picture_to_start_from_is_where_it_starts(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    start = resample.quantise(resample.resize(artwork.flip(2), (36, 48)))
    options = replace(SMALL, init="image", iterations=1)
    result, _ = finish(stylize(network, photograph, [artwork], options, start=start))
    expected = resample.quantise(resample.resize(start, (48, 64)))
    away = mean_difference(result.image, resample.quantise(resample.resize(photograph, (48, 64))))
    assert mean_difference(result.image, expected) < 0.3 * away
    assert mean_difference(result.image, expected) < 6


def test_the_photograph_to_start_from_is_as_good_as_no_picture(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    options = replace(SMALL, size=128)
    usual, _ = finish(stylize(network, photograph, [artwork], options))
    given, _ = finish(
        stylize(network, photograph, [artwork], replace(options, init="image"), start=photograph)
    )
    assert given.losses.total == pytest.approx(usual.losses.total, rel=0.2)  # no seed's noise in its start


@pytest.mark.parametrize(("init", "given"), [("image", False), ("content", True), ("noise", True)])
def test_a_start_without_its_picture_and_a_picture_without_its_start_are_refused(
    network: VGG, photograph: Tensor, artwork: Tensor, init: str, given: bool
) -> None:
    options = replace(SMALL, init=init)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="goes with init=image"):
        finish(stylize(network, photograph, [artwork], options, start=photograph if given else None))
