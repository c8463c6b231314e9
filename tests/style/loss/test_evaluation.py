"""However little is kept, and in however many strips, the numbers are the same."""

import pytest
import torch
from torch import Tensor

from service.style import regions
from service.style.loss import evaluation, losses
from service.style.loss.terms import ContentTerm, StyleTerm, Term, gram_share
from service.style.network import strips
from service.style.network.padding import REPEAT, ZERO, Padding
from service.style.network.vgg import VGG, Pooling
from tests.style.conftest import thin_network
from tests.style.linear import random_terms

TAPS = ["conv1_1", "conv3_1", "conv4_2", "conv5_1"]


@pytest.fixture(params=["average", "max"])
def pooling(request: pytest.FixtureRequest) -> Pooling:
    chosen: Pooling = request.param
    return chosen


@pytest.fixture(params=[REPEAT, ZERO, Padding("wrap", "repeat"), Padding("wrap", "wrap")], ids=str)
def padding(request: pytest.FixtureRequest) -> Padding:
    chosen: Padding = request.param
    return chosen


@pytest.fixture
def double(pooling: Pooling, padding: Padding) -> VGG:
    return thin_network(1, pooling).with_padding(padding).double()


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strips of 4 rows in place of 32, so that a small picture has many."""
    monkeypatch.setattr(strips, "FEWEST_ROWS", 4)
    monkeypatch.setattr(strips, "POSITIONS", 1)


def picture(height: int, width: int, seed: int = 1) -> Tensor:
    return torch.rand(1, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def paper(network: VGG, photograph: Tensor, artwork: Tensor) -> list[Term]:
    target = network(photograph, ["conv4_2"])["conv4_2"]
    grams = {name: losses.gram(response) for name, response in network(artwork, TAPS).items()}
    return [
        ContentTerm("conv4_2", 0.5, target),
        *(StyleTerm(name, 0.2, gram) for name, gram in grams.items()),
    ]


def close(ours: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-10 * expected.abs().max().item())


@pytest.mark.parametrize("size", [(32, 48), (35, 37)])
def test_the_gradient_equals_autograds(double: VGG, size: tuple[int, int]) -> None:
    x = picture(*size)
    terms = random_terms(double, x, TAPS)
    x.requires_grad_()
    tracked = double(x, TAPS)
    loss = torch.stack([(tracked[term.layer] * term.factors).sum() for term in terms]).sum()
    (expected,) = torch.autograd.grad(loss, x)
    ours, gradient = evaluation.loss_and_gradient(double, x.detach(), terms)
    close(ours, loss.detach())
    close(gradient, expected)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("recomputed", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("size", [(64, 48), (67, 37)])
def test_what_is_computed_again_in_strips_gives_the_same_gradient(
    double: VGG, size: tuple[int, int], recomputed: int
) -> None:
    x = picture(*size)
    for terms in (random_terms(double, x, TAPS), paper(double, picture(*size, seed=2), picture(40, 50, 3))):
        expected_loss, expected = evaluation.loss_and_gradient(double, x, terms)
        loss, gradient = evaluation.loss_and_gradient(double, x, terms, recomputed)
        close(loss, expected_loss)
        close(gradient, expected)


def test_a_picture_of_one_strip_gives_the_same_bits(network: VGG) -> None:
    x = picture(48, 40).float()
    terms = paper(network, picture(48, 40, 2).float(), picture(40, 50, 3).float())
    loss, gradient = evaluation.loss_and_gradient(network, x, terms)
    for recomputed in range(1, 6):
        again, gradient_again = evaluation.loss_and_gradient(network, x, terms, recomputed)
        assert torch.equal(again, loss)
        assert torch.equal(gradient_again, gradient)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("size", [(64, 48), (67, 37)])
def test_responses_and_losses_in_strips_are_those_of_the_whole(double: VGG, size: tuple[int, int]) -> None:
    x = picture(*size)
    expected = double(x, TAPS)
    ours = evaluation.responses(double, x, TAPS)
    assert list(ours) == list(expected)
    for name, response in ours.items():
        close(response, expected[name])
    terms = paper(double, picture(*size, seed=2), picture(40, 50, 3))
    for term, loss in zip(terms, evaluation.losses(double, x, terms), strict=True):
        close(loss, term.loss_of(term.share(expected[term.layer])))


def test_two_terms_of_one_layer_add_up(double: VGG) -> None:
    x = picture(32, 32)
    (term,) = random_terms(double, x, ["conv2_2"])
    once_loss, once = evaluation.loss_and_gradient(double, x, [term])
    twice_loss, twice = evaluation.loss_and_gradient(double, x, [term, term])
    close(twice_loss, 2 * once_loss)
    close(twice, 2 * once)


def guided(network: VGG, artwork: Tensor, height: int, width: int) -> list[Term]:
    """The style in two regions with soft borders, one of which is not in every strip."""
    below = torch.linspace(-1, 2, height, dtype=torch.float64).clamp(0, 1)[:, None].expand(height, width)
    grams = {name: losses.gram(response) for name, response in network(artwork, TAPS).items()}
    return [
        StyleTerm(layer, 0.2, grams[layer] * region, guide, region)
        for region, covered in enumerate((below, 1 - below), start=1)
        for layer, guide in regions.guides(covered[None, None], TAPS).items()
    ]


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("size", [(64, 48), (67, 37)])
def test_regions_have_the_same_losses_and_gradient_in_strips(double: VGG, size: tuple[int, int]) -> None:
    x = picture(*size)
    terms = guided(double, picture(40, 50, 3), *size)
    responses = double(x, TAPS)
    for term, loss in zip(terms, evaluation.losses(double, x, terms), strict=True):
        close(loss, term.loss_of(term.share(responses[term.layer])))
    expected_loss, expected = evaluation.loss_and_gradient(double, x, terms)
    for recomputed in (1, 3, 5):
        loss, gradient = evaluation.loss_and_gradient(double, x, terms, recomputed)
        close(loss, expected_loss)
        close(gradient, expected)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("soft", [False, True])
def test_the_gram_matrices_of_strips_add_up_to_that_of_the_whole(soft: bool) -> None:
    response = picture(31, 10).expand(1, 3, 31, 10) - 0.5
    guide = picture(31, 10, seed=2)[0, 0] if soft else None
    shares = [gram_share(response[:, :, strip.rows], guide, strip) for strip in strips.strips(31, 4, 0)]
    assert len(shares) > 2
    close(torch.stack(shares).sum(0), losses.gram(response, guide))


@pytest.mark.usefixtures("narrow")
def test_a_grey_picture_has_the_same_gradient_in_strips(double: VGG) -> None:
    x = picture(35, 37)[:, :1].clone()
    terms = paper(double, picture(35, 37, seed=2), picture(40, 50, 3))
    loss, gradient = evaluation.loss_and_gradient(double, x, terms, recomputed=2)
    expected_loss, expected = evaluation.loss_and_gradient(double, x.expand(1, 3, 35, 37), terms)
    assert gradient.shape == x.shape
    close(loss, expected_loss)
    close(gradient, expected.sum(1, keepdim=True))
