"""Weights of a network that has learned nothing."""

from pathlib import Path

import torch

from service.style.network import CHANNELS, IMAGENET_MEAN, layer_names
from service.weights.calibration import calibrate
from service.weights.canonical import Canonical, write
from service.weights.convert import Weights


def random_weights(path: Path) -> None:
    """Write a file of random weights of VGG-19's shape in our layout, whatever the name of the file ends with.

    They are calibrated already, on a small picture, so that a load takes no seconds.
    """
    generator = torch.Generator().manual_seed(0)
    tensors, incoming = {}, 3
    for name in layer_names("vgg19"):
        outgoing = CHANNELS[int(name[4]) - 1]
        spread = (2 / (9 * incoming)) ** 0.5
        tensors[f"{name}.weight"] = spread * torch.randn(outgoing, incoming, 3, 3, generator=generator)
        tensors[f"{name}.bias"] = 0.1 * torch.randn(outgoing, generator=generator)
        incoming = outgoing
    picture = torch.rand(1, 3, 64, 64, generator=generator)
    weights, factors = calibrate(Weights("vgg19", tensors, IMAGENET_MEAN), picture)
    write(path, Canonical("custom", weights, "random numbers", 64 * "0", "nobody", factors))
