"""LPIPS (Zhang et al. 2018, arXiv:1801.03924, eq. 1): how different two pictures of one arrangement look."""

from collections.abc import Mapping

from torch import Tensor

from benchmarks.engine.judge.measures.features import LAST_OF_BLOCKS

WEIGHTS = dict(zip(LAST_OF_BLOCKS, (0.1082, 0.0692, 0.0684, 0.1006, 0.0919), strict=True))
"""Of a layer: the mean of its learned weights, one per channel, in the package lpips 0.1.4 (weights/v0.1/vgg.pth).

The weights belong to the channels of torchvision's VGG-16, which was trained anew. Ours is the original network,
whose channels come in another order, so each of them has its layer's mean. Values are not those of published tables.
"""

_EPSILON = 1e-10


def lpips(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> float:
    """Σ over layers of w_l times the mean over positions of |y - y'|², with y of unit length at each position.

    Args:
        first: responses of LAST_OF_BLOCKS, max-pooled.
        second: likewise, of a picture of the same size.

    Returns:
        0 for the same picture, about 0.7 for two that have nothing in common.
    """
    return sum(
        weight * float((_unit(first[name]) - _unit(second[name])).square().sum(1).mean())
        for name, weight in WEIGHTS.items()
    )


def _unit(response: Tensor) -> Tensor:
    return response / (response.square().sum(1, keepdim=True).sqrt() + _EPSILON)
