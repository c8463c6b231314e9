"""VGG and how its convolutions are computed."""

from service.style.network.padding import REPEAT, ZERO, Padding
from service.style.network.precision import with_precision
from service.style.network.vgg import BLOCKS, CHANNELS, IMAGENET_MEAN, VGG, Arch, Pooling, layer_names

__all__ = [
    "BLOCKS",
    "CHANNELS",
    "IMAGENET_MEAN",
    "REPEAT",
    "VGG",
    "ZERO",
    "Arch",
    "Padding",
    "Pooling",
    "layer_names",
    "with_precision",
]
