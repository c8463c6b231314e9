"""What can be asked of the style transfer, with the paper's defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from service.style import resample
from service.style.network.padding import REPEAT, Padding
from service.style.network.vgg import Pooling

Init = Literal["content", "image", "noise"]
Depth = Literal[8, 16]
Tile = Literal["none", "x", "y", "both"]
Color = Literal["style", "content-match", "content-luminance"]

LATTICE = 16
"""Pixels by which a side that wraps is divisible while it is painted, so that no pooling leaves anything out."""

PAPER_CONTENT_LAYERS: Mapping[str, float] = {"conv4_2": 1.0}
PAPER_STYLE_LAYERS: Mapping[str, float] = {f"conv{block}_1": 0.2 for block in range(1, 6)}


@dataclass(frozen=True, kw_only=True)
class Options:
    """One request, in the paper's terms.

    Attributes:
        size: longest side of the result, in pixels.
        content_weight: α of eq. 7, > 0 (or 0 for texture alone).
        style_weight: β of eq. 7, > 0 (or 0 for the photograph alone).
        content_layers: layer name -> weight inside the content loss.
        style_layers: layer name -> w_l of eq. 5.
        style_blend: one weight for each artwork, not all 0; None: all alike.
        style_scale: longest side of the artworks relative to that of the result; stroke size. An artwork
            is never enlarged.
        color: whose colours the result has: the artwork's, as in the paper; the artwork's after they were given the
            photograph's mean and covariance; or the photograph's, only the luminance being painted (palette.py).
        opacity: of the painting over the photograph, 0..1; 0: the result is the photograph itself.
        tv_weight: of the total variation (variation.py), >= 0; at 512x512, elsewhere scaled as α.
        anchor_weight: of the distance to the anchor (anchor.py), >= 0; at 512x512, elsewhere scaled as α. Above 0
            there is an anchor.
        local_strength: whether a mask says how strongly each part is painted (strength.py).
        pooling: of the network; the paper's is average.
        tile: in which direction the picture goes on at its opposite side: x, y, both or none.
        init: start from the photograph or from another picture, coarse to fine, or from white noise (the paper).
        seed: of everything random. The same seed, options and device give the same picture, another seed another
            one.
        depth: bits of each channel of the result.
        iterations: at most so many evaluations of loss and gradient, over all scales.
        budget: seconds to spend; the answer is the best picture found by then. With neither iterations nor a
            budget, the default schedule.
        time_limit: seconds that it may not exceed, whatever else is asked for; None: no limit.
    """

    size: int = 256
    content_weight: float = 1e-3
    style_weight: float = 1.0
    content_layers: Mapping[str, float] = field(default_factory=lambda: dict(PAPER_CONTENT_LAYERS))
    style_layers: Mapping[str, float] = field(default_factory=lambda: dict(PAPER_STYLE_LAYERS))
    style_blend: tuple[float, ...] | None = None
    style_scale: float = 1.0
    color: Color = "style"
    opacity: float = 1.0
    tv_weight: float = 0.0
    anchor_weight: float = 0.0
    local_strength: bool = False
    pooling: Pooling = "average"
    tile: Tile = "none"
    init: Init = "content"
    seed: int = 0
    depth: Depth = 8
    iterations: int | None = None
    budget: float | None = None
    time_limit: float | None = None

    @property
    def weighted_content(self) -> dict[str, float]:
        """α times its own weight, for each layer whose content counts."""
        return _weighted(self.content_weight, self.content_layers)

    @property
    def weighted_style(self) -> dict[str, float]:
        """β w_l for each layer whose style counts; empty where there is nothing to learn from artworks."""
        return _weighted(self.style_weight, self.style_layers)

    @property
    def padding(self) -> Padding:
        """What stands beyond the border of the picture."""
        if self.tile == "none":
            return REPEAT
        return Padding(
            "wrap" if self.tile in ("y", "both") else "repeat",
            "wrap" if self.tile in ("x", "both") else "repeat",
        )

    def painted_at(self, height: int, width: int, longest: int) -> tuple[int, int]:
        """(height, width) at which a photograph of this size is painted for this longest side.

        Sides that wrap are rounded up to the LATTICE.
        """
        rows, columns = resample.fit(height, width, longest)
        if self.padding.rows == "wrap":
            rows = -(-rows // LATTICE) * LATTICE
        if self.padding.columns == "wrap":
            columns = -(-columns // LATTICE) * LATTICE
        return rows, columns

    def longest_of_artworks(self, longest: int) -> int:
        """Longest side of the artworks, pixels, for a picture with this one; none is enlarged to it."""
        return round(longest * self.style_scale)


def _weighted(weight: float, layers: Mapping[str, float]) -> dict[str, float]:
    return {name: weight * own for name, own in layers.items() if weight * own > 0}
