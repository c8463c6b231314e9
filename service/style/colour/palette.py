"""What `color` decides: in which colours the network sees the pictures, and in which the result is delivered."""

import torch
from torch import Tensor

from service.style.colour import colours
from service.style.options import Color

GREY = 3
"""Of 255: what red, green and blue of a grey pixel differ by at most, after YCbCr has been rounded."""


class Palette:
    """`style`, as in the paper: the colours come from the artwork, with everything else.

    The picture x that is optimised has C channels: RGB, or one that stands for three equal ones.

    Args:
        photograph: (1, 3, H, W), sRGB in [0, 1], at the size of x.

    Attributes:
        photograph: what the network sees of it, (1, C, H, W).
        low, high: the bounds of x; they broadcast to its shape.
    """

    def __init__(self, photograph: Tensor) -> None:
        self.photograph = self.seen(photograph)
        self.low, self.high = photograph.new_zeros(()), photograph.new_ones(())

    def seen(self, picture: Tensor) -> Tensor:
        """What the network sees of an RGB picture (1, 3, H, W), the result for one: (1, C, H, W)."""
        return picture

    def artwork(self, artwork: Tensor) -> Tensor:
        """What the network sees of an artwork (1, 3, h, w): (1, C, h, w)."""
        return artwork

    def compose(self, x: Tensor) -> Tensor:
        """The RGB picture (1, 3, H, W) of x, as it is delivered."""
        return x


class MatchedPalette(Palette):
    """`content-match`: the artworks get the photograph's colours before anything else (see `colours.match`)."""

    def artwork(self, artwork: Tensor) -> Tensor:
        """In the photograph's colours; values may lie outside [0, 1]."""
        return colours.match(artwork, self.photograph)


class LuminancePalette(Palette):
    """`content-luminance`: only the luminance Y is painted; the chroma stays the photograph's.

    "Luminance-only transfer" of Gatys et al. 2016 (arXiv:1606.05897). The chroma, Cb and Cr of BT.601, is kept as
    what it adds to Y in red, green and blue. Y is bounded pixel by pixel to where that fits into the RGB cube, so
    nothing is clamped afterwards, and the chroma of the result is the photograph's but for the rounding to 8 bits:
    at most 0.5/255. Where the photograph is as saturated as can be (pure red), only one Y fits: nothing is painted.
    """

    def __init__(self, photograph: Tensor) -> None:
        super().__init__(photograph)
        self._chroma = photograph - self.photograph
        self.low = -self._chroma.amin(1, keepdim=True)
        self.high = torch.maximum(self.low, 1 - self._chroma.amax(1, keepdim=True))

    def seen(self, picture: Tensor) -> Tensor:
        """Its luminance."""
        return colours.luminance(picture)

    def artwork(self, artwork: Tensor) -> Tensor:
        """Its luminance, with the mean and the standard deviation of the photograph's."""
        return colours.match(colours.luminance(artwork), self.photograph)

    def compose(self, x: Tensor) -> Tensor:
        """With the photograph's chroma; an x out of bounds is brought back first."""
        return x.clamp(self.low, self.high) + self._chroma


class GreyPalette(Palette):
    """A palette whose pictures have no colours, and whose result has none either: x has one channel.

    In three channels nothing prefers grey: the seed's noise has colours, and what little they add to the loss stays.

    Args:
        palette: what the network sees by it is grey: red, green and blue are equal but for rounding.
    """

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        super().__init__(palette.photograph)

    def seen(self, picture: Tensor) -> Tensor:
        """The mean of its three channels."""
        return self._palette.seen(picture).mean(1, keepdim=True)

    def artwork(self, artwork: Tensor) -> Tensor:
        """The mean of its three channels."""
        return self._palette.artwork(artwork).mean(1, keepdim=True)

    def compose(self, x: Tensor) -> Tensor:
        """The same in three channels."""
        return x.expand(-1, 3, -1, -1)


def is_grey(picture: Tensor) -> bool:
    """Whether a picture, uint8 (3, H, W), has no colours but those of JPEG's rounding."""
    # Most pictures with colours show them in a few of their pixels already.
    return all(int((part.amax(0) - part.amin(0)).max()) <= GREY for part in (picture[:, ::16, ::16], picture))


PALETTES: dict[Color, type[Palette]] = {
    "style": Palette,
    "content-match": MatchedPalette,
    "content-luminance": LuminancePalette,
}
