"""What there is to paint, as one value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from torch import Tensor

from service.style.anchor import Anchor
from service.style.copies import Copies
from service.style.options import Options
from service.style.regions import Masks

Size = tuple[int, int]
"""Height and width, in pixels."""


@dataclass(frozen=True)
class Shapes:
    """All of a picture to paint that its memory depends on.

    Attributes:
        photograph: its size, as it is kept.
        artworks: the size of each, as it is kept.
        options: complete.
        regions: how many parts are painted in a style of their own.
    """

    photograph: Size
    artworks: Sequence[Size]
    options: Options
    regions: int = 0

    @classmethod
    def of(cls, photograph: Tensor, artworks: Sequence[Tensor], options: Options, regions: int = 0) -> Self:
        """Those of pictures (..., H, W)."""
        sizes = [(picture.shape[-2], picture.shape[-1]) for picture in (photograph, *artworks)]
        return cls(sizes[0], tuple(sizes[1:]), options, regions)


@dataclass(frozen=True)
class Work:
    """What to paint: uint8 pictures (3, H, W), and how.

    Attributes:
        content, styles: the photograph and the artworks. For a texture `content` has its shape.
        options: complete.
        masks: which parts are painted in which style; None: all of it, in that of all artworks.
        start: what to start from in place of the photograph.
        alpha: uint8 (1, H, W), how much of each pixel of the photograph is seen; None: all of it is.
        anchor: what the result is held to; None: nothing.
        strength: uint8 (1, h, w), how strongly each part is painted; None: all of it alike.
        copies: of these pictures, at the sizes at which they are used; None: they are made when they are needed.
    """

    content: Tensor
    styles: Sequence[Tensor]
    options: Options
    masks: Masks | None = None
    start: Tensor | None = None
    alpha: Tensor | None = None
    anchor: Anchor | None = None
    strength: Tensor | None = None
    copies: Copies | None = None

    @property
    def shapes(self) -> Shapes:
        """What its memory depends on."""
        regions = 0 if self.masks is None else len(self.masks.regions)
        return Shapes.of(self.content, self.styles, self.options, regions)
