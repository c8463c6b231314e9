"""The terms of eq. 7. Each knows its layer, its weight and its target, and nothing of the others.

A term looks at its layer twice, strip by strip if it must be: for its `share` of what the loss depends on, whose sum
over all strips is what `loss_of` wants, and for the `gradient`, once that sum is known.
"""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from service.style.loss import losses
from service.style.network.strips import Strip


class Term(Protocol):
    """One summand of the function that is minimised."""

    @property
    def layer(self) -> str:
        """Name of the layer that it looks at."""

    @property
    def weight(self) -> float:
        """Above 0, or it does not count."""

    @property
    def name(self) -> str:
        """In reports."""

    def share(self, response: Tensor, strip: Strip | None = None) -> Tensor:
        """What one strip of the response, (1, N, rows, W), adds to what the loss depends on; None: all of it."""

    def loss_of(self, gathered: Tensor) -> Tensor:
        """The weighted loss, a scalar, where the shares of all strips have this sum."""

    def gradient(self, response: Tensor, gathered: Tensor, strip: Strip | None = None) -> Tensor:
        """Of the weighted loss, with respect to one strip of the response: a new tensor of its shape."""


@dataclass(frozen=True)
class ContentTerm:
    """Eq. 1 on one layer.

    Attributes:
        layer: its name.
        weight: α with its size factor, times the layer's share.
        target: P, the photograph's response, (1, N, H, W).
        amounts: how much each position counts, (H, W) of the response, >= 0; None: all of them alike.
    """

    layer: str
    weight: float
    target: Tensor
    amounts: Tensor | None = None

    @property
    def name(self) -> str:
        """In reports."""
        return f"content/{self.layer}"

    def share(self, response: Tensor, strip: Strip | None = None) -> Tensor:
        """Eq. 1, in the target's dtype."""
        return losses.content_loss(response.to(self.target.dtype), *self._in(strip))

    def loss_of(self, gathered: Tensor) -> Tensor:
        """The weighted loss, a scalar."""
        return gathered * self.weight

    def gradient(self, response: Tensor, gathered: Tensor, strip: Strip | None = None) -> Tensor:
        """Eq. 2, weighted, in the target's dtype."""
        return losses.content_gradient(response.to(self.target.dtype), *self._in(strip)).mul_(self.weight)

    def _in(self, strip: Strip | None) -> tuple[Tensor, Tensor | None]:
        if strip is None:
            return self.target, self.amounts
        return self.target[:, :, strip.rows], None if self.amounts is None else self.amounts[strip.rows]


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

    def share(self, response: Tensor, strip: Strip | None = None) -> Tensor:
        """Eq. 3 over the positions of all strips: a Gram matrix, (N, N)."""
        return gram_share(response, self.guide, strip)

    def loss_of(self, gathered: Tensor) -> Tensor:
        """The weighted eq. 4, a scalar."""
        return losses.style_layer_loss(gathered, self.target) * self.weight

    def gradient(self, response: Tensor, gathered: Tensor, strip: Strip | None = None) -> Tensor:
        """Eq. 6, weighted, in the response's dtype."""
        guide, total = _in_strip(response, self.guide, strip)
        return losses.style_layer_gradient(response, gathered, self.target, guide, total).mul_(self.weight)


def gram_share(response: Tensor, guide: Tensor | None = None, strip: Strip | None = None) -> Tensor:
    """What one strip of a response, (1, N, rows, W), adds to eq. 3: (N, N).

    Args:
        response: in the strip.
        guide: of the whole layer, (H, W); None: all positions count alike.
        strip: None: the response is the whole.
    """
    return losses.gram(response, *_in_strip(response, guide, strip))


def _in_strip(
    response: Tensor, guide: Tensor | None, strip: Strip | None
) -> tuple[Tensor | None, int | Tensor]:
    """The guide's part in a strip, and the M, or the Σ t², of the whole."""
    if guide is not None:
        return (guide if strip is None else guide[strip.rows]), losses.guide_total(guide, response.dtype)
    rows = response.shape[2] if strip is None else strip.height
    return None, rows * int(response.shape[3])
