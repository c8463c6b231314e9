"""One activation scale for all backbones, so that the paper's α/β means the same with each of them.

A network of convolutions, ReLUs and poolings may be rescaled layer by layer without changing what it
computes: a ReLU is positively homogeneous, so with factors s_l > 0 (and s_0 = 1 for the picture)

    W_l <- W_l · s_l / s_(l-1),    b_l <- b_l · s_l

every response F^l becomes s_l · F^l and nothing else happens. Which factors a training ended with is an
accident, yet the content loss grows with s² and the style loss with s⁴, so α/β depends on them. We choose
the factors at which each layer's root-mean-square response to a fixed set of pictures is that of the
original Oxford VGG-16 with average pooling. (Gatys, Ecker & Bethge normalised their VGG-19 in the same way,
but filter by filter and to a mean response of 1: 2016, *Image Style Transfer Using Convolutional Neural
Networks*, section 2.)
"""

import math
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from service.style.network import VGG, ZERO
from service.weights.convert import Weights
from service.weights.dead_leaves import dead_leaves
from service.weights.errors import WeightsError

# RMS of the post-ReLU responses of the Oxford VGG-16 to dead_leaves(): what root_mean_squares() returns for
# the weights as published. VGG-16 has no conv3_4, conv4_4 and conv5_4: they get the layer before's.
REFERENCE_RMS: Mapping[str, float] = {
    "conv1_1": 70.10743,
    "conv1_2": 315.6096,
    "conv2_1": 405.3734,
    "conv2_2": 653.0984,
    "conv3_1": 466.4849,
    "conv3_2": 454.2859,
    "conv3_3": 405.5721,
    "conv3_4": 405.5721,
    "conv4_1": 153.602,
    "conv4_2": 76.59788,
    "conv4_3": 27.06851,
    "conv4_4": 27.06851,
    "conv5_1": 9.526259,
    "conv5_2": 3.489649,
    "conv5_3": 0.7861691,
    "conv5_4": 0.7861691,
}


def root_mean_squares(weights: Weights, pictures: Tensor | None = None) -> dict[str, float]:
    """Measure the scale of every layer's post-ReLU response, average pooling.

    Args:
        weights: of the network.
        pictures: (B, 3, H, W), RGB in [0, 1]; the calibration pictures if None.

    Returns:
        For each layer the root of the mean square over pictures, filters and positions.
    """
    network = VGG(weights.arch, weights.tensors, mean=weights.mean, pooling="average", padding=ZERO)
    pictures = dead_leaves() if pictures is None else pictures
    squares = dict.fromkeys(network.layers, 0.0)
    with torch.inference_mode():
        for picture in pictures:  # one by one: all layers of one picture are 60 MB
            for name, response in network(picture[None], network.layers).items():
                squares[name] += response.double().square_().mean().item()
    return {name: math.sqrt(square / len(pictures)) for name, square in squares.items()}


def calibrate(weights: Weights, pictures: Tensor | None = None) -> tuple[Weights, dict[str, float]]:
    """Rescale a network to the reference activation scale; what it computes stays the same.

    Args:
        weights: any scale.
        pictures: (B, 3, H, W), RGB in [0, 1]; the calibration pictures if None (others are for tests).

    Returns:
        The rescaled weights, and for each layer the factor s_l by which its responses have grown.

    Raises:
        WeightsError: a layer does not respond, or overflows, so there is nothing to scale.
    """
    measured = root_mean_squares(weights, pictures)
    factors: dict[str, float] = {}
    tensors: dict[str, Tensor] = {}
    before = 1.0
    for name, rms in measured.items():
        if not (math.isfinite(rms) and rms > 0):
            raise WeightsError(
                f"the responses of its {name} are all zero or not finite, so it is not a trained network"
            )
        factor = REFERENCE_RMS[name] / rms
        for part, scale in (("weight", factor / before), ("bias", factor)):
            tensors[f"{name}.{part}"] = (weights.tensors[f"{name}.{part}"].double() * scale).float()
        factors[name] = before = factor
    return replace(weights, tensors=tensors), factors
