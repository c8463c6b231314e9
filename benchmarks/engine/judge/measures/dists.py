"""DISTS (Ding et al. 2020, arXiv:2004.07728, eq. 3 to 6): how different two pictures are in texture and structure."""

from collections.abc import Mapping

from torch import Tensor

from benchmarks.engine.judge.measures.features import LAST_OF_BLOCKS

LAYERS = ("picture", *LAST_OF_BLOCKS)

TEXTURE = dict(zip(LAYERS, (0.0632, 0.0386, 0.0779, 0.1531, 0.2747, 0.2686), strict=True))
STRUCTURE = dict(zip(LAYERS, (0.0616, 0.0001, 0.0007, 0.0024, 0.0020, 0.0572), strict=True))
"""α and β of a layer: the sums over its channels in the package DISTS_pytorch 0.1, of 1 in all. As for LPIPS, the
channels are those of another VGG-16, so a layer's share is divided among all of its channels alike."""

_C = 1e-6


def dists(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> float:
    """1 - Σ over layers of α mean l + β mean s: l compares the means of channels, s their covariance over positions.

    Args:
        first: for each of LAYERS (1, N, H, W): the picture in [0, 1] itself, and its responses, L2-pooled.
        second: likewise, of a picture of the same size.

    Returns:
        0 for the same picture, towards 1 for unlike ones. Against an artwork only the textures can agree.
    """
    alike = 0.0
    for name in LAYERS:
        x, y = first[name].flatten(2), second[name].flatten(2)
        mean_x, mean_y = x.mean(2, keepdim=True), y.mean(2, keepdim=True)
        texture = (2 * mean_x * mean_y + _C) / (mean_x.square() + mean_y.square() + _C)
        x, y = x - mean_x, y - mean_y
        spread = x.square().mean(2) + y.square().mean(2)
        structure = (2 * (x * y).mean(2) + _C) / (spread + _C)
        alike += TEXTURE[name] * float(texture.mean()) + STRUCTURE[name] * float(structure.mean())
    return max(0.0, 1 - alike / (sum(TEXTURE.values()) + sum(STRUCTURE.values())))
