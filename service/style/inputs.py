"""From the pictures of a request to the function that is minimised at one size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import torch
from torch import Tensor

from service.style import regions, resample, strength
from service.style.anchor import Anchor
from service.style.colour.palette import PALETTES, GreyPalette, Palette, is_grey
from service.style.copies import Copies
from service.style.loss import evaluation
from service.style.loss.anchor import AnchorTerm
from service.style.loss.objective import Objective
from service.style.loss.terms import ContentTerm, StyleTerm, Term, gram_share
from service.style.network.padding import REPEAT, Padding
from service.style.network.strips import Strip
from service.style.network.vgg import VGG
from service.style.options import Options
from service.style.regions import Masks
from service.style.schedule import pyramid

REFERENCE_AREA = 512 * 512
"""Pixels of the picture at which α means what it means in the paper: the content loss is a sum over positions and
grows with the picture, the style loss is a mean and does not, so α is scaled by REFERENCE_AREA/(H·W). The total
variation, a sum too, is scaled likewise."""

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Inputs:
    """The pictures that a transfer is made from, on the CPU; what a scale needs of them goes to the network's device.

    Attributes:
        photograph: uint8 (3, H, W), sRGB, of any size.
        artworks: each uint8 (3, h, w), sRGB, of any size.
        masks: which parts are painted in which style; None: all of it, in that of all artworks.
        start: uint8 (3, h, w), sRGB, of any size: what to start from in place of the photograph.
        copies: of these pictures, at the sizes at which they are used.
        alpha: uint8 (1, H, W), how much of each pixel of the photograph is seen; None: all of it is.
        anchor: what the result is held to; None: nothing.
        strength: uint8 (1, h, w), of any size: how strongly each part is painted; None: all of it alike.
        device: of the network, where the masks are.
        padding: what stands beyond the border of the photograph; an artwork's is always repeated.
    """

    photograph: Tensor
    artworks: Sequence[Tensor]
    masks: Masks | None = None
    start: Tensor | None = None
    copies: Copies = field(default_factory=Copies)
    alpha: Tensor | None = None
    anchor: Anchor | None = None
    strength: Tensor | None = None
    device: torch.device = CPU
    padding: Padding = REPEAT

    def to(self, device: torch.device) -> "Inputs":
        """The same pictures, for a network on another device."""
        return replace(self, masks=None if self.masks is None else self.masks.to(device), device=device)

    def prepare(self, options: Options, look: Callable[[], object] = lambda: None) -> None:
        """Make all copies that a transfer will ask for, so that its own thread need not.

        Args:
            options: of the transfer.
            look: called before each of them; what it raises ends the preparation.
        """
        photograph, _ = self.sizes
        result = resample.fit(*photograph, options.size)
        scales = {stage.longest for stage in pyramid.plan(*result, options)} | {max(result)}
        sizes = {options.painted_at(*photograph, longest) for longest in scales} | {result}
        for size_at in sizes:
            for picture in self._drawings:
                look()
                self._copy(picture, size_at)
            if options.weighted_style:
                for artwork, size in zip(
                    self.artworks, self.artwork_sizes(max(size_at), options), strict=True
                ):
                    look()
                    self._copy(artwork, size)

    def at(self, picture: Tensor, size: tuple[int, int]) -> Tensor:
        """One of the pictures at this size, (H, W): float32 (1, 3, H, W) in [0, 1], on the device."""
        return resample.send(self._copy(picture, size), self.device)

    @property
    def _drawings(self) -> list[Tensor]:
        """The pictures that have the result's shape."""
        anchor = None if self.anchor is None else self.anchor.picture
        return [each for each in (self.photograph, self.start, anchor) if each is not None]

    def _copy(self, picture: Tensor, size: tuple[int, int]) -> Tensor:
        alpha = self.alpha if picture is self.photograph else None
        if self.anchor is not None and picture is self.anchor.picture:
            alpha = self.anchor.held
        wraps = any(picture is each for each in self._drawings)
        return self.copies.of(picture, size, alpha, self.padding if wraps else REPEAT)

    @property
    def sizes(self) -> tuple[tuple[int, int], list[tuple[int, int]]]:
        """(height, width) of the photograph, and of each artwork."""
        height, width = self.photograph.shape[-2:]
        return (height, width), [(artwork.shape[-2], artwork.shape[-1]) for artwork in self.artworks]

    @property
    def regions(self) -> int:
        """How many there are with a style of their own; 0: the picture is not divided."""
        return 0 if self.masks is None else len(self.masks.regions)

    def artwork_sizes(self, longest: int, options: Options) -> list[tuple[int, int]]:
        """(height, width) of each artwork for a picture with this longest side."""
        scaled = options.longest_of_artworks(longest)
        return [
            resample.artwork_size(artwork.shape[-2], artwork.shape[-1], scaled) for artwork in self.artworks
        ]

    def palette(self, size: tuple[int, int], options: Options) -> Palette:
        """The colours of a picture of this size, (H, W) in pixels."""
        palette = PALETTES[options.color](self.at(self.photograph, size))
        if options.color == "content-luminance" or not self._is_grey(options):
            return palette
        return GreyPalette(palette)

    def _is_grey(self, options: Options) -> bool:
        """Whether nothing that the network sees has colours: the artworks get the photograph's by `content-match`."""
        if options.color == "content-match" or not options.weighted_style:
            return self._grey_drawings
        return self._grey_drawings and self._grey_artworks

    @cached_property
    def _grey_drawings(self) -> bool:
        return all(map(is_grey, self._drawings))

    @cached_property
    def _grey_artworks(self) -> bool:
        return all(map(is_grey, self.artworks))

    def objective(
        self,
        network: VGG,
        size: tuple[int, int],
        options: Options,
        *,
        palette: Palette | None = None,
        recomputed: int = 0,
    ) -> Objective:
        """Eq. 7 for a picture of this size.

        Args:
            network: the features.
            size: (H, W) of the picture x, pixels. The photograph is resized to it, the artworks as the options say.
            options: layers, weights, style_blend, style_scale, color, tv_weight.
            palette: of this size, where it is there already; None: it is made.
            recomputed: as for `Objective`.

        Raises:
            ValueError: all weights are 0, or the blend does not fit the artworks.
        """
        weights = [options.content_weight * weight for weight in options.content_layers.values()]
        weights += [options.style_weight * weight for weight in options.style_layers.values()]
        if not any(weights):
            raise ValueError("all weights are 0: give the content or the style one above 0")
        if palette is None:
            palette = self.palette(size, options)
        terms = [*self._content(network, palette, options), *self._style(network, palette, options)]
        tv_weight = options.tv_weight * REFERENCE_AREA / (size[0] * size[1])
        anchor = self._anchor(palette, options)
        return Objective(network, terms, tv_weight=tv_weight, anchor=anchor, recomputed=recomputed)

    def drawing(self, palette: Palette) -> Tensor:
        """What a picture of the palette's size starts from, and takes its finest detail from, (1, C, H, W).

        It is the photograph, or the start in its place; and where something is held, the anchor.
        """
        size = (palette.photograph.shape[-2], palette.photograph.shape[-1])
        drawing = palette.photograph if self.start is None else palette.seen(self.at(self.start, size))
        if self.anchor is None:
            return drawing
        return drawing.lerp(
            palette.seen(self.at(self.anchor.picture, size)),
            resample.grey(self.anchor.held, size, self.device),
        )

    def opacity(self, size: tuple[int, int], options: Options) -> float | Tensor:
        """Of the painting over the photograph, in [0, 1]: a number, or (1, 1, H, W) for a picture of this size."""
        if self.strength is None:
            return options.opacity
        return strength.opacity(resample.grey(self.strength, size, self.device), options)

    def free(self, size: tuple[int, int], options: Options) -> Tensor | None:
        """How freely each pixel of a picture of this size is painted, (1, 1, H, W) in [0, 1]; None: all of it is."""
        painted = None if self.masks is None else self.masks.free(size, self.padding)
        if self.strength is None:
            return painted
        shown = strength.shown(resample.grey(self.strength, size, self.device), options)
        if shown.min() == 1:
            return painted
        return shown if painted is None else painted * shown

    def _content(self, network: VGG, palette: Palette, options: Options) -> list[Term]:
        size = palette.photograph.shape[-2:]
        alpha = options.content_weight * REFERENCE_AREA / (size[0] * size[1])
        weights = {
            name: alpha * weight for name, weight in options.content_layers.items() if alpha * weight > 0
        }
        responses = evaluation.responses(network, palette.photograph, weights)
        amounts: dict[str, Tensor] = {}
        if self.strength is not None:
            grey = resample.grey(self.strength, (size[0], size[1]), self.device)
            amounts = {name: strength.amounts(grey, name, options) for name in weights}
        return [
            ContentTerm(name, weight, responses[name], amounts.get(name)) for name, weight in weights.items()
        ]

    def _anchor(self, palette: Palette, options: Options) -> AnchorTerm | None:
        if self.anchor is None:
            return None
        size = (palette.photograph.shape[-2], palette.photograph.shape[-1])
        return AnchorTerm(
            options.anchor_weight * REFERENCE_AREA / (size[0] * size[1]),
            palette.seen(self.at(self.anchor.picture, size)),
            resample.grey(self.anchor.held, size, self.device),
        )

    def _style(self, network: VGG, palette: Palette, options: Options) -> Sequence[Term]:
        weights = options.weighted_style
        if not weights:
            return []
        if self.padding != REPEAT:
            network = network.with_padding(REPEAT)
        size = (palette.photograph.shape[-2], palette.photograph.shape[-1])
        sizes = self.artwork_sizes(max(size), options)
        seen = [
            palette.artwork(self.at(artwork, to)) for artwork, to in zip(self.artworks, sizes, strict=True)
        ]
        if self.masks is not None:
            blend = blend_weights(len(seen), options.style_blend)
            return regions.style_terms(network, self.masks, seen, blend, weights, size)
        targets = style_targets(network, seen, list(weights), options.style_blend)
        return [StyleTerm(name, weight, targets[name]) for name, weight in weights.items()]


def style_targets(
    network: VGG, artworks: Sequence[Tensor], layers: Sequence[str], blend: Sequence[float] | None = None
) -> dict[str, Tensor]:
    """Gram matrices A/M of the artworks, their weighted mean where there are several.

    Args:
        network: the features.
        artworks: each (1, 3, h, w), RGB in [0, 1], or grey, (1, 1, h, w); of any size.
        layers: names of layers.
        blend: one weight for each artwork; None: all alike. Only their ratios count.

    Returns:
        For each layer its target, (N_l, N_l).

    Raises:
        ValueError: no artwork, a weight too many or too few, a negative one, or all of them 0.
    """
    weights = blend_weights(len(artworks), blend)
    targets: dict[str, Tensor] = {}
    for artwork, weight in zip(artworks, weights, strict=True):
        if weight == 0:
            continue
        share = weight / sum(weights)
        evaluation.visit(network, artwork, layers, partial(_add_gram, targets, share))
    return targets


def blend_weights(count: int, blend: Sequence[float] | None) -> list[float]:
    """One weight for each of so many artworks; all alike where there is no blend.

    Raises:
        ValueError: no artwork, a weight too many or too few, a negative one, or all of them 0.
    """
    if not count:
        raise ValueError("give at least one artwork")
    weights = [1.0] * count if blend is None else list(blend)
    if len(weights) != count:
        raise ValueError(f"{count} artworks need as many blend weights, not {len(weights)}")
    if min(weights) < 0 or sum(weights) <= 0:
        raise ValueError("blend weights must not be negative, and not all of them 0")
    return weights


def _add_gram(targets: dict[str, Tensor], share: float, name: str, response: Tensor, strip: Strip) -> None:
    gram = gram_share(response, None, strip) * share
    targets[name] = targets[name] + gram if name in targets else gram
