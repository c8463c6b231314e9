"""Regions of the picture, each with a style of its own: guided Gram matrices.

Gatys, Ecker, Bethge, Hertzmann & Shechtman 2017 (arXiv:1611.07865), section 4: a guide for each region at each layer,
how much each position belongs to it; and one E_l for each region, between its guided Gram matrices. Here a region's
loss counts by its share of the picture, so that a pixel is pulled as strongly as it would be without regions, and a
region that is the whole picture changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from service.style.filters import low_pass
from service.style.loss import evaluation
from service.style.loss.terms import StyleTerm, gram_share
from service.style.network.padding import REPEAT, Padding
from service.style.network.strips import Strip
from service.style.network.vgg import VGG

FEATHER = 2
"""Times that the border of what is painted is smoothed: it fades over about so many pixels."""


@dataclass(frozen=True)
class Masks:
    """Which region each pixel belongs to.

    Attributes:
        picture: uint8 (H, W), of any size: the region's number for each pixel of the photograph; 0: not painted.
        artworks: the same for each artwork: the region that its pixel is an example for; 0: for none. None: all of
            each artwork is an example for every region.
    """

    picture: Tensor
    artworks: Sequence[Tensor] | None = None

    def to(self, device: torch.device) -> "Masks":
        """The same masks on another device."""
        artworks = None if self.artworks is None else [artwork.to(device) for artwork in self.artworks]
        return Masks(self.picture.to(device), artworks)

    @property
    def regions(self) -> list[int]:
        """Their numbers."""
        return [number for number in range(1, int(self.picture.max()) + 1) if (self.picture == number).any()]

    def free(self, size: tuple[int, int], padding: Padding = REPEAT) -> Tensor | None:
        """How freely each pixel of a picture of this size is painted, (1, 1, H, W) in [0, 1]; None: all of it is."""
        unpainted = coverage(self.picture, 0, size)
        if not unpainted.any():
            return None
        free = 1 - unpainted
        for _ in range(FEATHER):
            free = low_pass(free, padding)
        return free


def coverage(mask: Tensor, region: int, size: tuple[int, int]) -> Tensor:
    """The part of each pixel that belongs to a region.

    Args:
        mask: uint8 (h, w), as in `Masks`.
        region: its number.
        size: (H, W) of the picture.

    Returns:
        (1, 1, H, W), in [0, 1].
    """
    return F.adaptive_avg_pool2d((mask == region).float()[None, None], size)


def guides(covered: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
    """Guides from a region's coverage, (1, 1, H, W), poolings and floors as in the network.

    Layers that nothing of the region comes down to are left out.
    """
    found: dict[str, Tensor] = {}
    for layer in layers:
        guide = pooled(covered, layer)
        if guide.any():
            found[layer] = guide[0, 0]
    return found


def pooled(plane: Tensor, layer: str) -> Tensor:
    """What a plane of the picture's size, (1, 1, H, W), is at a layer's positions, (1, 1, h, w)."""
    for _ in range(VGG.poolings_before(layer)):
        plane = F.avg_pool2d(plane, 2)
    return plane


def style_terms(
    network: VGG,
    masks: Masks,
    artworks: Sequence[Tensor],
    blend: Sequence[float],
    weights: Mapping[str, float],
    size: tuple[int, int],
) -> list[StyleTerm]:
    """Eq. 4 for each region on each layer where there is something of it, in the picture and in an artwork.

    Args:
        network: the features.
        masks: of the picture and the artworks.
        artworks: each (1, 3, h, w), RGB in [0, 1], as large as they are compared.
        blend: one weight for each artwork. Among those that are examples for a region only the ratios count.
        weights: β w_l of each layer.
        size: (H, W) of the picture.
    """
    regions = masks.regions
    targets = _targets(network, masks, artworks, blend, list(weights), regions)
    terms = []
    for region in regions:
        covered = coverage(masks.picture, region, size)
        share = covered.mean().item()
        for layer, guide in guides(covered, weights).items():
            if (target := targets.get((region, layer))) is not None:
                terms.append(StyleTerm(layer, weights[layer] * share, target, guide, region))
    return terms


def _targets(
    network: VGG,
    masks: Masks,
    artworks: Sequence[Tensor],
    blend: Sequence[float],
    layers: Sequence[str],
    regions: Sequence[int],
) -> dict[tuple[int, str], Tensor]:
    """Gram matrices by region and layer: the weighted mean over the artworks that have something of the region."""
    means: dict[tuple[int, str], Tensor] = {}
    totals: dict[tuple[int, str], float] = {}
    for number, (artwork, weight) in enumerate(zip(artworks, blend, strict=True)):
        if weight == 0:
            continue
        if masks.artworks is None:
            whole = _grams(network, artwork, {(0, layer): None for layer in layers})
            grams = {(region, layer): whole[0, layer] for region in regions for layer in layers}
        else:
            size = (artwork.shape[-2], artwork.shape[-1])
            guided = {
                (region, layer): guide
                for region in regions
                for layer, guide in guides(coverage(masks.artworks[number], region, size), layers).items()
            }
            grams = _grams(network, artwork, guided)
        for key, gram in grams.items():
            totals[key] = totals.get(key, 0.0) + weight
            # A running mean: weights may be so small that their products with anything are 0.
            means[key] = torch.lerp(means[key], gram, weight / totals[key]) if key in means else gram
    return means


def _grams(
    network: VGG, artwork: Tensor, guided: Mapping[tuple[int, str], Tensor | None]
) -> dict[tuple[int, str], Tensor]:
    """The Gram matrix of an artwork for each region and layer, with the region's guide; None: of the whole."""
    grams: dict[tuple[int, str], Tensor] = {}

    def look(name: str, response: Tensor, strip: Strip) -> None:
        for (region, layer), guide in guided.items():
            if layer == name:
                share = gram_share(response, guide, strip)
                key = (region, layer)
                grams[key] = grams[key] + share if key in grams else share

    evaluation.visit(network, artwork, {layer for _, layer in guided}, look)
    return grams
