"""Winograd's convolutions against torch's in float64, for every shape that a layer may see."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from service.style.network import convolution
from service.style.network.padding import REPEAT, ZERO, Padding

if not convolution.available():
    pytest.skip("numba, or its threads, cannot be used here", allow_module_level=True)

from service.style.network import winograd

PADDINGS = [ZERO, REPEAT, Padding("wrap", "wrap"), Padding("repeat", "wrap"), Padding("wrap", "zero")]
SIZES = [(1, 1), (1, 9), (7, 1), (2, 2), (4, 4), (5, 3), (8, 12), (13, 17), (31, 6)]
CLOSE = 1e-4
"""Of the largest value."""


@pytest.fixture(autouse=True)
def random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture(params=[(64, 64), (64, 128), (70, 36)], ids=str)
def kernel(request: pytest.FixtureRequest, random: torch.Generator) -> Tensor:
    incoming, outgoing = request.param
    return torch.randn(outgoing, incoming, 3, 3, generator=random) / 24


@pytest.fixture
def picture(random: torch.Generator) -> Callable[..., Tensor]:
    def make(channels: int, height: int, width: int) -> Tensor:
        return torch.randn(1, height, width, channels, generator=random).permute(0, 3, 1, 2)

    return make


def turned(kernel: Tensor) -> Tensor:
    """Kernel of the adjoint."""
    return kernel.flip(2, 3).transpose(0, 1)


def close(found: Tensor, expected: Tensor) -> None:
    assert found.shape == expected.shape
    assert found.permute(0, 2, 3, 1).is_contiguous()
    assert (found - expected).abs().max() <= CLOSE * expected.abs().max()


@pytest.mark.parametrize("padding", PADDINGS, ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_forward_is_the_convolution_and_its_relu(
    kernel: Tensor, picture: Callable[..., Tensor], size: tuple[int, int], padding: Padding
) -> None:
    x, bias = picture(kernel.shape[1], *size), torch.linspace(-1, 1, len(kernel))
    found, nothing = winograd.forward(x, winograd.transformed(kernel), bias, padding=padding)
    close(found, F.relu(F.conv2d(padding.around(x.double()), kernel.double(), bias.double())))
    assert nothing is None


@pytest.mark.parametrize("size", [size for size in SIZES if min(size) > 1], ids=str)
def test_the_average_is_that_of_the_response(
    kernel: Tensor, picture: Callable[..., Tensor], size: tuple[int, int]
) -> None:
    x, bias = picture(kernel.shape[1], *size), torch.linspace(-1, 1, len(kernel))
    u = winograd.transformed(kernel)
    response, pooled = winograd.forward(x, u, bias, pool=True)
    assert pooled is not None
    close(pooled, F.avg_pool2d(response.double(), 2))
    assert torch.equal(response, winograd.forward(x, u, bias)[0])


@pytest.mark.parametrize("padding", PADDINGS, ids=str)
@pytest.mark.parametrize("added", [False, True], ids=["alone", "with its own"])
@pytest.mark.parametrize(
    ("size", "pooled"), [(size, pooled) for pooled in (False, True) for size in SIZES if min(size) > pooled]
)
def test_adjoint_is_what_autograd_says(
    kernel: Tensor,
    picture: Callable[..., Tensor],
    size: tuple[int, int],
    added: bool,
    pooled: bool,
    padding: Padding,
) -> None:
    outgoing, incoming = kernel.shape[:2]
    x = picture(incoming, *size).double().requires_grad_()
    response = F.relu(F.conv2d(padding.around(x), kernel.double()))
    seen = F.avg_pool2d(response, 2) if pooled else response
    gradient, own = picture(outgoing, *seen.shape[-2:]), picture(outgoing, *size) if added else None
    function = (seen * gradient).sum() + (0 if own is None else (response * own).sum())
    (expected,) = torch.autograd.grad(function, x)
    u, back = winograd.transformed(kernel), turned(kernel)
    layer = convolution.Winograd(u, winograd.transformed(back), torch.zeros(outgoing), back)
    close(layer.adjoint(gradient, response.detach().float(), padding, own), expected)


def test_a_picture_that_is_not_channels_last_is_understood(
    kernel: Tensor, picture: Callable[..., Tensor]
) -> None:
    x, u, bias = picture(kernel.shape[1], 9, 10), winograd.transformed(kernel), torch.zeros(len(kernel))
    assert torch.equal(winograd.forward(x.contiguous(), u, bias)[0], winograd.forward(x, u, bias)[0])


def test_strips_change_nothing(
    kernel: Tensor, picture: Callable[..., Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    x, u, bias = picture(kernel.shape[1], 21, 30), winograd.transformed(kernel), torch.zeros(len(kernel))
    whole, _ = winograd.forward(x, u, bias)
    monkeypatch.setattr(winograd, "STRIP_BYTES", 0)
    monkeypatch.setattr(winograd, "MOST_BYTES", 0)
    close(winograd.forward(x, u, bias)[0], whole.double())


def test_what_is_not_a_number_stays_so(kernel: Tensor, picture: Callable[..., Tensor]) -> None:
    x = picture(kernel.shape[1], 8, 8)
    x[0, 0, 2, 2] = torch.nan
    found, _ = winograd.forward(x, winograd.transformed(kernel), torch.zeros(len(kernel)))
    assert found.isnan().any()
