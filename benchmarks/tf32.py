"""TF32 of NVIDIA's GPUs, imitated on any device: for its losses, not for its speed."""

import torch
from torch import Tensor

from service.style.network.vgg import VGG

DROPPED = 13
"""Of the 23 bits of a float32's mantissa; TF32 keeps 10."""


def rounded(numbers: Tensor) -> Tensor:
    """float32, of any shape, to the nearest TF32; of two as near to the even one."""
    bits = numbers.view(torch.int32)
    half = (1 << (DROPPED - 1)) - 1
    nearest = (bits + half + ((bits >> DROPPED) & 1)) & -(1 << DROPPED)
    return nearest.view(torch.float32)


class ImitatedTF32(VGG):
    """A float32 network whose convolutions multiply as TF32 does: both factors rounded, products summed in float32.

    Args:
        network: in float32; its pooling has to be the paper's.
    """

    def __init__(self, network: VGG) -> None:
        weights = {f"{name}.bias": network.get_buffer(f"{name}_bias") for name in network.layers}
        weights |= {
            f"{name}.weight": rounded(network.get_buffer(f"{name}_weight")) for name in network.layers
        }
        super().__init__(network.arch, weights, mean=network.mean)
        self.to(network.device)

    def respond(self, name: str, h: Tensor) -> Tensor:
        """As that of the network."""
        return super().respond(name, rounded(h))

    def adjoin(self, name: str, gradient: Tensor) -> Tensor:
        """As that of the network."""
        return super().adjoin(name, rounded(gradient))
