"""Terms whose gradient is known, and pictures in double precision."""

from dataclasses import dataclass

import torch
from torch import Tensor

from service.style.network.strips import Strip
from service.style.network.vgg import VGG


@dataclass(frozen=True)
class LinearTerm:
    """Σ F R of one layer: its gradient is R, whatever the picture."""

    layer: str
    factors: Tensor
    weight: float = 1.0

    @property
    def name(self) -> str:
        return f"linear/{self.layer}"

    def share(self, response: Tensor, strip: Strip | None = None) -> Tensor:
        return (response * self._factors(strip)).sum()

    def loss_of(self, gathered: Tensor) -> Tensor:
        return gathered * self.weight

    def gradient(self, response: Tensor, gathered: Tensor, strip: Strip | None = None) -> Tensor:
        return self._factors(strip) * self.weight

    def _factors(self, strip: Strip | None) -> Tensor:
        return self.factors if strip is None else self.factors[:, :, strip.rows]


def random_terms(network: VGG, x: Tensor, layers: list[str]) -> list[LinearTerm]:
    """One for each layer, of the shape of its response to x."""
    random = torch.Generator().manual_seed(7)
    return [
        LinearTerm(name, torch.randn(response.shape, dtype=response.dtype, generator=random))
        for name, response in network(x, layers).items()
    ]
