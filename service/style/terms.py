"""The terms of eq. 7. Each knows its layer, its weight and its target, and nothing of the others."""

from dataclasses import dataclass

from torch import Tensor

from service.style import losses


@dataclass(frozen=True)
class ContentTerm:
    """Eq. 1 on one layer.

    Attributes:
        layer: its name.
        weight: α with its size factor, times the layer's share.
        target: P, the photograph's response, (1, N, H, W).
    """

    layer: str
    weight: float
    target: Tensor

    @property
    def name(self) -> str:
        """In reports."""
        return f"content/{self.layer}"

    def loss(self, response: Tensor) -> Tensor:
        """The weighted loss of a response (1, N, H, W), a scalar."""
        return losses.content_loss(response.to(self.target.dtype), self.target) * self.weight

    def loss_and_gradient(self, response: Tensor) -> tuple[Tensor, Tensor]:
        """The weighted loss, and its gradient with respect to the response, in the target's dtype."""
        difference = losses.content_gradient(response.to(self.target.dtype), self.target)  # eq. 2
        return difference.square().sum() * (
            self.weight / 2
        ), difference * self.weight  # eq. 1, from the same F - P


@dataclass(frozen=True)
class StyleTerm:
    """Eq. 4 on one layer, of the whole picture or of one region of it.

    Attributes:
        layer: its name.
        weight: β w_l, times the region's share of the picture.
        target: A/M, the artworks' Gram matrix, (N, N).
        guide: how much each position belongs to the region, (H, W) of the response, in [0, 1]; None: all of them do.
        region: its number, from 1; 0: the whole picture.
    """

    layer: str
    weight: float
    target: Tensor
    guide: Tensor | None = None
    region: int = 0

    @property
    def name(self) -> str:
        """In reports."""
        return f"style/{self.layer}"

    @property
    def of_blank(self) -> float:
        """The weighted loss of a picture that has no response at all."""
        return (losses.style_layer_loss(self.target * 0, self.target) * self.weight).item()

    def loss(self, response: Tensor) -> Tensor:
        """The weighted loss of a response (1, N, H, W), a scalar."""
        return losses.style_layer_loss(losses.gram(response, self.guide), self.target) * self.weight

    def loss_and_gradient(self, response: Tensor) -> tuple[Tensor, Tensor]:
        """The weighted loss, and its gradient with respect to the response, in the response's dtype (eq. 6)."""
        gram = losses.gram(response, self.guide)
        loss = losses.style_layer_loss(gram, self.target) * self.weight
        return loss, losses.style_layer_gradient(response, gram, self.target, self.guide).mul_(self.weight)


Term = ContentTerm | StyleTerm
