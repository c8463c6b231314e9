"""Which convolution is taken, and that whichever it is the network computes the same."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import pytest
import torch
from torch import Tensor

from service.style.loss import evaluation, losses
from service.style.loss.terms import ContentTerm, StyleTerm, Term
from service.style.network import convolution, strips
from service.style.network.padding import REPEAT, ZERO, Padding
from service.style.network.vgg import VGG
from tests.style.conftest import random_weights

SIZES = [(48, 64), (67, 53), (130, 16)]
LAYERS = ["conv1_1", "conv1_2", "conv2_1", "conv3_1", "conv4_1"]


def picture(height: int, width: int, seed: int = 1, channels: int = 3) -> Tensor:
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return random_weights("vgg16", 1)


@pytest.fixture
def plain(weights: dict[str, Tensor]) -> VGG:
    return VGG("vgg16", weights)


@pytest.fixture(scope="module")
def quick(weights: dict[str, Tensor]) -> VGG:
    network = VGG("vgg16", weights).with_winograd()
    assert network.has_winograd, "numba compiles for this machine"
    return network


def terms_of(network: VGG, x: Tensor, regions: int) -> list[Term]:
    """The paper's, whose targets are x in a mirror; of style, in so many regions."""
    terms: list[Term] = [ContentTerm("conv4_2", 0.5, network(x.flip(3), ["conv4_2"])["conv4_2"])]
    for name, response in network(x.flip(2), LAYERS).items():
        for region in range(regions):
            guide = None
            if regions > 1:
                ramp = torch.linspace(0, 1, response[0, 0].numel(), dtype=x.dtype).view(response.shape[2:])
                guide = ramp if region else 1 - ramp
            terms.append(StyleTerm(name, 0.2, losses.gram(response, guide), guide, region))
    return terms


def active(network: VGG, x: Tensor) -> list[Tensor]:
    """Where each layer responds, pooled as for a gradient."""
    found = []
    h = network.enter(x)
    for layers in network.blocks(["conv4_2"]):
        for name in layers[:-1]:
            h = network.respond(name, h)
            found.append(h > 0)
        response, h = network.respond_and_pool(layers[-1], h)
        found.append(response > 0)
    return found


def smooth_at(exact: VGG, quick: VGG, size: tuple[int, int], channels: int) -> Tensor:
    """A picture at which no response is so near to 0 that rounding decides about its ReLU, and so its gradient."""
    for seed in range(1, 20):
        x = picture(*size, seed, channels)
        found, expected = active(quick, x), active(exact, x.double())
        if all(map(torch.equal, found, expected)):
            return x
    raise AssertionError("each of the pictures has such a response")


@pytest.mark.parametrize(
    "padding", [REPEAT, ZERO, Padding("wrap", "wrap"), Padding("repeat", "wrap")], ids=str
)
@pytest.mark.parametrize("regions", [1, 2])
@pytest.mark.parametrize("channels", [3, 1], ids=["colour", "grey"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_gradient_is_autograds_in_float64(
    plain: VGG, quick: VGG, size: tuple[int, int], channels: int, regions: int, padding: Padding
) -> None:
    exact, quick = plain.with_padding(padding).double(), quick.with_padding(padding)
    x = smooth_at(exact, quick, size, channels)
    loss, gradient = evaluation.loss_and_gradient(quick, x, terms_of(quick, x, regions))
    x = x.double().requires_grad_()
    terms = terms_of(exact, x.detach(), regions)
    responses = exact(x, {term.layer for term in terms})
    expected = torch.stack([term.loss_of(term.share(responses[term.layer])) for term in terms]).sum()
    (slope,) = torch.autograd.grad(expected, x)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    assert (gradient - slope).norm() <= 1e-4 * slope.norm()


@pytest.mark.parametrize("recomputed", [1, 2, 4])
def test_what_is_computed_again_in_strips_gives_the_same_gradient(
    quick: VGG, recomputed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strips, "FEWEST_ROWS", 20)
    monkeypatch.setattr(strips, "POSITIONS", 1)
    x = picture(67, 53, seed=2)  # at which no ReLU changes sides by rounding
    terms = terms_of(quick, x, 1)
    loss, gradient = evaluation.loss_and_gradient(quick, x, terms)
    again, gradient_again = evaluation.loss_and_gradient(quick, x, terms, recomputed)
    torch.testing.assert_close(again, loss, rtol=1e-4, atol=0)
    assert (gradient_again - gradient).norm() <= 1e-4 * gradient.norm()


def test_other_poolings_are_torchs(plain: VGG, quick: VGG) -> None:
    x = picture(48, 40)
    terms = terms_of(plain.with_pooling("max"), x, 1)
    _, expected = evaluation.loss_and_gradient(plain.with_pooling("max"), x, terms)
    _, gradient = evaluation.loss_and_gradient(quick.with_pooling("max"), x, terms)
    assert (gradient - expected).norm() <= 1e-4 * expected.norm()


def test_the_same_picture_gives_the_same_bytes_even_at_the_same_time(quick: VGG) -> None:
    x = picture(96, 80)
    terms = terms_of(quick, x, 1)

    def gradient(_: int = 0) -> Tensor:
        torch.set_num_threads(threads)  # each thread has a number of its own
        return evaluation.loss_and_gradient(quick, x, terms)[1]

    threads = torch.get_num_threads()
    expected = gradient()
    with ThreadPoolExecutor(4) as pool:
        assert all(torch.equal(each, expected) for each in pool.map(gradient, range(8)))


def test_threads_stay_as_many_as_they_were_set_to(quick: VGG) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        quick(picture(64, 64), ["conv3_1"])
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_few_tiles_batches_other_dtypes_and_what_autograd_follows_are_torchs(quick: VGG) -> None:
    response = torch.rand(1, 32, 32, 64).permute(0, 3, 1, 2)
    assert quick.winograd("conv1_2", response)
    assert not quick.winograd("conv1_1", response), "of three channels"
    assert not quick.winograd("conv4_3", response), "nothing descends to it"
    assert not quick.winograd("conv1_2", response[:, :, :8, :8])
    assert not quick.winograd("conv1_2", response.expand(2, -1, -1, -1))
    assert not quick.winograd("conv1_2", response.bfloat16())
    assert not quick.winograd("conv1_2", response.requires_grad_())
    assert not quick.with_dtype(torch.bfloat16).has_winograd
    assert quick.with_pooling("max").has_winograd


@pytest.fixture
def unknown() -> Iterator[None]:
    """What is available is found out anew."""
    convolution.available.cache_clear()
    yield
    convolution.available.cache_clear()


@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize(
    "trouble", [ImportError("no numba here"), RuntimeError("cannot cache function")], ids=str
)
def test_without_a_numba_that_works_the_convolutions_are_torchs_and_the_log_says_so_once(
    plain: VGG, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, trouble: Exception
) -> None:
    def fail() -> NoReturn:
        raise trouble

    monkeypatch.setattr(convolution, "_check", fail)
    with caplog.at_level(logging.WARNING):
        assert not plain.with_winograd().has_winograd
        assert not plain.with_winograd().has_winograd
    (record,) = caplog.records
    assert str(trouble) in record.getMessage()
    assert torch.equal(
        plain.with_winograd()(picture(32, 32), ["conv1_2"])["conv1_2"],
        plain(picture(32, 32), ["conv1_2"])["conv1_2"],
    )


@pytest.mark.usefixtures("unknown")
def test_convolutions_that_compute_something_else_are_not_used(
    plain: VGG, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from service.style.network import winograd

    right = winograd.transformed
    monkeypatch.setattr(winograd, "transformed", lambda kernel: right(kernel) * 1.001)
    assert not plain.with_winograd().has_winograd
    assert "differ" in caplog.text


@pytest.mark.slow
def test_without_openmp_numbas_own_threads_are_used() -> None:
    program = """if True:
        import sys
        sys.modules["numba.np.ufunc.omppool"] = None
        from service.style.network import convolution
        print(convolution.available())
        import numba
        print(numba.threading_layer())
    """
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True", "workqueue"], ran.stderr
