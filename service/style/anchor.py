"""A picture that the result is held to: the last frame of a film, a neighbouring tile, a face or a logo.

What is not held counts for nothing, as what is transparent does: how strongly a pixel is held is the anchor's alpha.
So colours that nobody asked to hold get into no copy of another size.
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Anchor:
    """What x is held to, and how strongly.

    Attributes:
        picture: uint8 (3, h, w), sRGB, of any size. Where it is not held it has the colours of what is held near it.
        held: uint8 (1, h, w): 255 with all the weight, 0 not at all.
    """

    picture: Tensor
    held: Tensor
