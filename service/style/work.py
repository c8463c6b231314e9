"""What there is to paint, as one value."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from service.style.copies import Copies
from service.style.options import Options
from service.style.regions import Masks

Size = tuple[int, int]
"""Height and width, in pixels."""


@dataclass(frozen=True)
class Work:
    """What to paint: uint8 pictures (3, H, W), and how.

    Attributes:
        content, styles: the photograph and the artworks. For a texture `content` has its shape.
        options: complete.
        masks: which parts are painted in which style; None: all of it, in that of all artworks.
        start: what to start from in place of the photograph.
        copies: of these pictures, at the sizes at which they are used; None: they are made when they are needed.
    """

    content: Tensor
    styles: Sequence[Tensor]
    options: Options
    masks: Masks | None = None
    start: Tensor | None = None
    copies: Copies | None = None
