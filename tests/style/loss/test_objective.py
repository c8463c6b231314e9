import copy
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from service.style.inputs import REFERENCE_AREA, style_targets
from service.style.loss import losses
from service.style.loss.objective import Losses, Objective
from service.style.loss.terms import ContentTerm, StyleTerm, Term
from service.style.loss.variation import variation, variation_gradient
from service.style.network.vgg import VGG, Arch
from service.style.options import PAPER_STYLE_LAYERS, Options

TAPS = [*PAPER_STYLE_LAYERS]


@pytest.fixture(scope="module")
def double(network: VGG) -> VGG:
    return copy.deepcopy(network).double()


def random_picture(height: int, width: int, seed: int) -> Tensor:
    return torch.rand(1, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def paper(network: VGG, photograph: Tensor, artwork: Tensor, **changes: object) -> Objective:
    """The paper's objective, with pictures that nothing resizes or rounds."""
    options = replace(Options(), **changes)  # type: ignore[arg-type]
    alpha = options.content_weight * REFERENCE_AREA / (photograph.shape[-2] * photograph.shape[-1])
    responses = network(photograph, options.content_layers)
    targets = style_targets(network, [artwork], list(options.style_layers))
    content = [
        ContentTerm(name, alpha * weight, responses[name]) for name, weight in options.content_layers.items()
    ]
    style = [StyleTerm(name, weight, targets[name]) for name, weight in options.style_layers.items()]
    return Objective(network, [*content, *style])


def layers_of(terms: Iterable[Term]) -> list[str]:
    return [term.layer for term in terms]


def test_the_total_is_equation_7_with_the_size_factor(double: VGG) -> None:
    p, a, x = random_picture(32, 48, 0), random_picture(40, 30, 1), random_picture(32, 48, 2)
    content = losses.content_loss(double(x, ["conv4_2"])["conv4_2"], double(p, ["conv4_2"])["conv4_2"])
    grams_x, grams_a = double(x, TAPS), double(a, TAPS)
    layers = [losses.style_layer_loss(losses.gram(grams_x[n]), losses.gram(grams_a[n])) for n in TAPS]
    style = torch.stack([0.2 * layer for layer in layers]).sum()  # eq. 5
    expected = (1e-3 * 512**2 / (32 * 48) * content + style).item()
    objective = paper(double, p, a)
    assert objective.loss_and_gradient(x)[0].item() == pytest.approx(expected, rel=1e-12)
    assert objective.losses(x).total == pytest.approx(expected, rel=1e-12)


def test_the_gradient_equals_autograds(double: VGG) -> None:
    p, a, x = random_picture(32, 48, 3), random_picture(40, 30, 4), random_picture(32, 48, 5).requires_grad_()
    objective = paper(double, p, a, style_layers={**PAPER_STYLE_LAYERS, "conv4_2": 0.1})
    responses = double(x, layers_of(objective.terms))
    terms = [term.loss_of(term.share(responses[term.layer])) for term in objective.terms]
    (expected,) = torch.autograd.grad(torch.stack(terms).sum(), x)
    ours = objective.loss_and_gradient(x.detach())[1]
    torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-9 * expected.abs().max().item())


def test_the_terms_add_up(double: VGG) -> None:
    report: Losses = paper(double, random_picture(32, 32, 0), random_picture(32, 32, 1)).losses(
        random_picture(32, 32, 2)
    )
    assert set(report.layers) == {"content/conv4_2", *(f"style/{name}" for name in TAPS)}
    assert report.total == pytest.approx(sum(report.layers.values()))
    assert report.total == pytest.approx(report.content + report.style)


def test_nothing_is_lost_where_the_picture_is_photograph_and_artwork_at_once(double: VGG) -> None:
    p = random_picture(32, 48, 6)
    assert paper(double, p, p).losses(p).total == 0


def test_layers_of_weight_zero_are_not_computed(double: VGG) -> None:
    objective = paper(
        double,
        random_picture(32, 32, 0),
        random_picture(32, 32, 1),
        style_layers={"conv1_1": 1.0, "conv5_1": 0},
    )
    assert layers_of(objective.terms) == ["conv4_2", "conv1_1"]
    texture = paper(double, random_picture(32, 32, 0), random_picture(32, 32, 1), content_weight=0.0)
    assert layers_of(texture.terms) == TAPS


def test_a_layer_that_cannot_change_the_picture_is_left_out_of_the_descent_but_reported(
    weights_of: Callable[[Arch, int], dict[str, Tensor]],
) -> None:
    """As conv5_1 on Oxford's scale: a thousandth of the others' activations is 1e-12 of their losses."""
    weights = weights_of("vgg16", 0)
    weights["conv5_1.weight"] *= 1e-3
    weights["conv5_1.bias"] *= 1e-3
    network = VGG("vgg16", weights).double()
    p, a, x = random_picture(32, 32, 0), random_picture(32, 32, 1), random_picture(32, 32, 2)
    objective = paper(network, p, a)
    assert layers_of(objective.descended) == ["conv4_2", *TAPS[:4]]
    report = objective.losses(x)
    assert report.layers["style/conv5_1"] > 0
    assert objective.loss_and_gradient(x)[0].item() == pytest.approx(report.total, rel=1e-6)
    alone = paper(network, p, a, content_weight=0.0, style_layers={"conv5_1": 1.0})
    assert layers_of(alone.descended) == ["conv5_1"], "what is asked for alone is everything"


def test_the_target_of_several_artworks_is_the_weighted_mean_of_their_gram_matrices(double: VGG) -> None:
    a, b = random_picture(32, 40, 7), random_picture(48, 32, 8)
    both = style_targets(double, [a, b], ["conv2_1"], [3.0, 1.0])["conv2_1"]
    gram_a, gram_b = (losses.gram(double(artwork, ["conv2_1"])["conv2_1"]) for artwork in (a, b))
    torch.testing.assert_close(both, 0.75 * gram_a + 0.25 * gram_b)
    alone = style_targets(double, [a, b], ["conv2_1"], [1.0, 0.0])["conv2_1"]
    torch.testing.assert_close(alone, gram_a)


@pytest.mark.parametrize(
    ("count", "blend", "message"),
    [
        (0, None, "give at least one artwork"),
        (2, [1.0], "2 artworks need as many blend weights, not 1"),
        (2, [1.0, -1.0], "must not be negative"),
        (2, [0.0, 0.0], "not all of them 0"),
    ],
)
def test_a_blend_that_makes_no_sense_is_refused(
    double: VGG, count: int, blend: list[float] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        style_targets(double, [random_picture(16, 16, 0)] * count, ["conv1_1"], blend)


def test_total_variation_is_added_and_reported_by_itself(double: VGG) -> None:
    p, a, x = random_picture(32, 48, 0), random_picture(40, 30, 1), random_picture(32, 48, 2)
    plain = paper(double, p, a)
    varied = Objective(double, plain.terms, tv_weight=0.01)
    report = varied.losses(x)
    assert report.variation == pytest.approx(0.01 * variation(x).item())
    assert plain.losses(x).variation == 0
    assert report.total == pytest.approx(plain.losses(x).total + report.variation)
    assert (report.content, report.style) == (plain.losses(x).content, plain.losses(x).style)
    loss, gradient = varied.loss_and_gradient(x)
    loss_of_plain, gradient_of_plain = plain.loss_and_gradient(x)
    assert loss.item() == pytest.approx(loss_of_plain.item() + report.variation)
    torch.testing.assert_close(gradient, gradient_of_plain + 0.01 * variation_gradient(x))


def test_a_grey_picture_is_three_equal_channels(double: VGG) -> None:
    p, a, x = (
        random_picture(32, 48, 3)[:, :1],
        random_picture(40, 30, 4)[:, :1],
        random_picture(32, 48, 5)[:, :1],
    )
    grey = Objective(double, paper(double, p, a).terms, tv_weight=0.01)
    p, a, three = (picture.repeat(1, 3, 1, 1) for picture in (p, a, x))
    rgb = Objective(double, paper(double, p, a).terms, tv_weight=0.01)
    assert grey.losses(x) == rgb.losses(three)
    loss, gradient = grey.loss_and_gradient(x)
    loss_of_rgb, gradient_of_rgb = rgb.loss_and_gradient(three)
    assert loss.item() == pytest.approx(loss_of_rgb.item(), rel=1e-12)
    torch.testing.assert_close(gradient, gradient_of_rgb.sum(1, keepdim=True))
