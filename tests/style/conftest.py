"""Small networks and pictures."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from devtools.serving import Clock
from service.style.network.vgg import CHANNELS, VGG, Arch, Pooling, layer_names
from service.style.optimiser.lbfgs import LBFGS

THIN = tuple(channels // 8 for channels in CHANNELS)


def random_weights(arch: Arch, seed: int = 0, channels: tuple[int, ...] = CHANNELS) -> dict[str, Tensor]:
    """He-initialised weights, small random biases."""
    generator = torch.Generator().manual_seed(seed)
    weights: dict[str, Tensor] = {}
    incoming = 3
    for name in layer_names(arch):
        outgoing = channels[int(name[4]) - 1]
        spread = (2 / (9 * incoming)) ** 0.5
        weights[f"{name}.weight"] = torch.randn(outgoing, incoming, 3, 3, generator=generator) * spread
        weights[f"{name}.bias"] = torch.randn(outgoing, generator=generator) * 0.1
        incoming = outgoing
    return weights


def thin_network(seed: int = 0, pooling: Pooling = "average") -> VGG:
    """A VGG-16 with an eighth of the channels, and so quick: for what holds of any network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.style.network.vgg.CHANNELS", THIN)
        return VGG("vgg16", random_weights("vgg16", seed, THIN), pooling=pooling)


def slow_down(patch: pytest.MonkeyPatch, clock: Clock, seconds: float) -> None:
    """By this clock each step of the optimiser takes so long, and nothing else any time."""
    advance = LBFGS.advance

    def slow(optimiser: LBFGS) -> None:
        clock.now += seconds
        advance(optimiser)

    patch.setattr(LBFGS, "advance", slow)


@pytest.fixture(scope="session")
def weights_of() -> Callable[[Arch, int], dict[str, Tensor]]:
    return random_weights


@pytest.fixture(scope="session")
def network() -> VGG:
    return thin_network()


@pytest.fixture(scope="session")
def whole_network() -> VGG:
    """With all of its channels, for what depends on how many there are."""
    return VGG("vgg16", random_weights("vgg16"))


def picture(height: int, width: int, seed: int) -> Tensor:
    """A smooth random picture, uint8 (3, height, width)."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 5, 7, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic")
    return (smooth[0].clamp(0, 1) * 255).round().to(torch.uint8)


@pytest.fixture(scope="session")
def photograph() -> Tensor:
    return picture(36, 48, seed=1)


@pytest.fixture(scope="session")
def artwork() -> Tensor:
    return picture(50, 40, seed=2)
