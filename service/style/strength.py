"""How strongly each part is painted: `strength` (options.py), place by place.

Where the mask is white the strength is the request's, s; where it has the grey g, in [0, 1], it is g s. So α/β is
10^(-1 - 4 g s) there, which is what the request asks for times a = 10^(4 s (1 - g)): eq. 1 becomes ½ Σ a (F - P)².
And as for the whole picture, the photograph shows through below FADE, and black leaves nothing but it. So no a needs
to be larger than that of FADE, and what hardly shows hardly moves: an a of thousands, on pixels that move like all
others, leaves the optimiser no steps for the rest of the picture.
"""

from torch import Tensor

from service.style.options import FADE, Options, weights_to_strength
from service.style.regions import pooled

MOST = 2.0
"""Strength, on the scale that goes on beyond 1, that counts at most: so that no a is beyond 1e8."""


def amounts(grey: Tensor, layer: str, options: Options) -> Tensor:
    """The a of each position of a layer, (h, w), at least 1.

    It is the grey that is pooled: a soft edge is as soft in strength, where a mean of a would be that of its darkest.

    Args:
        grey: the mask at the picture's size, (1, 1, H, W) in [0, 1].
        layer: its name.
        options: of the request; its α is above 0.
    """
    strength = min(MOST, weights_to_strength(options.content_weight, options.style_weight))
    local = (strength * pooled(grey, layer)).clamp(min=min(FADE, strength))
    return (10 ** (4 * (strength - local)))[0, 0]


def shown(grey: Tensor, options: Options) -> Tensor:
    """How much of the painting is seen, and how freely it moves, (1, 1, H, W) in [0, 1]: 1 where the grey is 1.

    Args:
        grey: the mask at the picture's size, (1, 1, H, W) in [0, 1].
        options: of the request; its α is above 0.
    """
    strength = max(FADE, weights_to_strength(options.content_weight, options.style_weight))
    return (grey * (strength / FADE)).clamp(max=1)


def opacity(grey: Tensor, options: Options) -> Tensor:
    """Of the painting over the photograph, (1, 1, H, W) in [0, 1]: the request's where the grey is 1; see `shown`."""
    return options.opacity * shown(grey, options)
