"""The function that is minimised: which losses, on which layers, with which weights, of a picture of one size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from service.style import losses
from service.style.vgg import VGG

REFERENCE_AREA = 512 * 512
"""Pixels of the picture at which α means what it means in the paper: the content loss is a sum over positions and
grows with the picture, the style loss is a mean and does not, so α is scaled by REFERENCE_AREA/(H·W)."""

NEGLIGIBLE = 1e-5
"""A style layer is left out of the descent if a blank picture's E_l would be less than this part of L_style.

With the paper's layers and Oxford's activation scale that is conv5_1 (1e-7 to 2e-6), and with it the two or three
convolutions that only it needs: a sixth of the arithmetic, half of it at 64 px. A picture that is done has lowered
L_style about a thousandfold, so even a layer that never improves would be a hundredth of it at most; conv5_1 improves
with the others. It counts in every loss that is reported."""


@dataclass(frozen=True)
class Losses:
    """Losses of one picture, in the paper's units.

    Attributes:
        content: α L_content, with the size factor.
        style: β L_style.
        total: their sum, eq. 7.
        layers: the terms of the two sums, weighted: "content/conv4_2", "style/conv1_1", ...
    """

    content: float
    style: float
    total: float
    layers: Mapping[str, float]


def style_targets(
    network: VGG, artworks: Sequence[Tensor], layers: Sequence[str], blend: Sequence[float] | None = None
) -> dict[str, Tensor]:
    """Gram matrices A/M of the artworks, their weighted mean where there are several.

    Args:
        network: the features.
        artworks: each (1, 3, h, w), RGB in [0, 1], of any size.
        layers: names of layers.
        blend: one weight for each artwork; None: all alike. Only their ratios count.

    Returns:
        For each layer its target, (N_l, N_l).

    Raises:
        ValueError: no artwork, a weight too many or too few, a negative one, or all of them 0.
    """
    if not artworks:
        raise ValueError("give at least one artwork")
    weights = [1.0] * len(artworks) if blend is None else list(blend)
    if len(weights) != len(artworks):
        raise ValueError(f"{len(artworks)} artworks need as many blend weights, not {len(weights)}")
    if min(weights) < 0 or sum(weights) <= 0:
        raise ValueError("blend weights must not be negative, and not all of them 0")
    targets: dict[str, Tensor] = {}
    for artwork, weight in zip(artworks, weights, strict=True):
        for name, response in network(artwork, layers).items():
            share = losses.gram(response) * (weight / sum(weights))
            targets[name] = targets[name] + share if name in targets else share
    return targets


class Objective:
    """Eq. 7 as a function of a picture x of the photograph's size.

    Args:
        network: the features.
        photograph: p, (1, 3, H, W), RGB in [0, 1].
        targets: of `style_targets`, one for each of `style_layers`.
        content_layers: layer -> weight within L_content.
        style_layers: layer -> w_l of eq. 5.
        content_weight: α. It is scaled by REFERENCE_AREA/(H·W).
        style_weight: β.
    """

    def __init__(
        self,
        network: VGG,
        photograph: Tensor,
        targets: Mapping[str, Tensor],
        *,
        content_layers: Mapping[str, float],
        style_layers: Mapping[str, float],
        content_weight: float,
        style_weight: float,
    ) -> None:
        self.network = network
        alpha = content_weight * REFERENCE_AREA / (photograph.shape[-2] * photograph.shape[-1])
        self.content = {name: alpha * weight for name, weight in content_layers.items() if alpha * weight > 0}
        self.style = {name: style_weight * w for name, w in style_layers.items() if style_weight * w > 0}
        if not self.content and not self.style:
            raise ValueError("all weights are 0: give the content or the style one above 0")
        self.targets = {name: targets[name] for name in self.style}
        self.descended = self._worth_descending()
        self.photograph = network(photograph, self.content)

    def loss_and_gradient(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Eq. 7 without its negligible terms, and its gradient with respect to x.

        Args:
            x: (1, 3, H, W), RGB in [0, 1].

        Returns:
            The loss, a scalar (on the device of x), and the gradient, of the shape of x.
        """
        responses = self.network.responses(x, [*self.content, *self.descended])
        terms: list[Tensor] = []
        gradients: dict[str, Tensor] = {}
        for name, weight in self.content.items():
            difference = losses.content_gradient(responses[name].to(x.dtype), self.photograph[name])  # eq. 2
            terms.append(difference.square().sum() * (weight / 2))  # eq. 1, from the same difference
            gradients[name] = difference * weight
        for name, weight in self.descended.items():
            gram = losses.gram(responses[name])
            terms.append(losses.style_layer_loss(gram, self.targets[name]) * weight)
            gradient = losses.style_layer_gradient(responses[name], gram, self.targets[name]).mul_(weight)
            gradients[name] = gradients[name] + gradient if name in gradients else gradient
        return torch.stack(terms).sum(), self.network.pullback(responses, gradients)

    def losses(self, x: Tensor) -> Losses:
        """The losses of x, (1, 3, H, W) in [0, 1], term by term."""
        responses = self.network(x, [*self.content, *self.style])
        layers: dict[str, float] = {}
        for name, weight in self.content.items():
            layers[f"content/{name}"] = (
                weight * losses.content_loss(responses[name], self.photograph[name]).item()
            )
        for name, weight in self.style.items():
            gram = losses.gram(responses[name])
            layers[f"style/{name}"] = weight * losses.style_layer_loss(gram, self.targets[name]).item()
        content = sum(value for name, value in layers.items() if name.startswith("content/"))
        style = sum(value for name, value in layers.items() if name.startswith("style/"))
        return Losses(content=content, style=style, total=content + style, layers=layers)

    def _worth_descending(self) -> dict[str, float]:
        """The style layers that can change the picture, with their weights: see NEGLIGIBLE."""
        blank = {
            name: weight
            * losses.style_layer_loss(self.targets[name], torch.zeros_like(self.targets[name])).item()
            for name, weight in self.style.items()
        }
        least = NEGLIGIBLE * sum(blank.values())
        return {name: weight for name, weight in self.style.items() if blank[name] > least}
