"""Responses of the network as the measures of the field want them, which pool otherwise than the paper."""

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from service.style.network.vgg import VGG

Pool = Callable[[Tensor], Tensor]

LAST_OF_BLOCKS = ("conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3")
"""The layers that LPIPS and DISTS compare; they are in VGG-16 and in VGG-19."""

_HANN = torch.tensor([0.5, 1.0, 0.5])


def responses(network: VGG, picture: Tensor, taps: Iterable[str], pool: Pool) -> dict[str, Tensor]:
    """Post-ReLU responses, float32.

    Args:
        network: float32.
        picture: (1, 3, H, W), RGB in [0, 1].
        taps: names of layers.
        pool: stands between two blocks.

    Returns:
        For each tap (1, N, H_l, W_l).
    """
    wanted = set(taps)
    found: dict[str, Tensor] = {}
    h = network.enter(picture)
    for number, layers in enumerate(network.blocks(wanted)):
        h = pool(h) if number else h
        for name in layers:
            h = network.respond(name, h)
            if name in wanted:
                found[name] = h
    return found


def max_pool(h: Tensor) -> Tensor:
    """As the network was trained."""
    return F.max_pool2d(h, 2)


def l2_pool(h: Tensor) -> Tensor:
    """The root of the mean square under a Hann window of 3x3 positions: Ding et al. 2020, arXiv:2004.07728, eq. 2."""
    window = _HANN.outer(_HANN).to(h)
    kernel = (window / window.sum()).expand(h.shape[1], 1, 3, 3)
    return F.conv2d(h.square(), kernel, stride=2, padding=1, groups=h.shape[1]).clamp(min=1e-12).sqrt()
