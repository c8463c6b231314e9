"""Weights of a network that has learned nothing."""

from pathlib import Path

import torch

from service.style.network import BLOCKS, CHANNELS


def random_weights(path: Path) -> None:
    """A file of random weights of VGG-19's shape, with torchvision's names."""
    generator = torch.Generator().manual_seed(0)
    tensors, number, incoming = {}, 0, 3
    for count, outgoing in zip(BLOCKS["vgg19"], CHANNELS, strict=True):
        for _ in range(count):
            kernel = torch.randn(outgoing, incoming, 3, 3, generator=generator) * (2 / (9 * incoming)) ** 0.5
            tensors[f"features.{number}.weight"] = kernel
            tensors[f"features.{number}.bias"] = torch.randn(outgoing, generator=generator) * 0.1
            number, incoming = number + 2, outgoing  # a ReLU after each
        number += 1  # a pooling
    torch.save(tensors, path)
