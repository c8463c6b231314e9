"""`strength`, the one knob that most people need: for a whole picture, and place by place.

Up to MIDDLE, the paper's α/β, the photograph shows through: however large α/β is, a painting with the default layers
is not the photograph, as conv4_2 keeps neither its colours nor its pixels. Beyond it α/β falls.

With a mask, the strength of a place is the request's, s, times its grey g, in [0, 1]. So α/β is that of g s there,
which is what the request asks for times a = α(g s)/α(s): eq. 1 becomes ½ Σ a (F - P)². And as for the whole picture,
the photograph shows through below MIDDLE, and black leaves nothing but it. What hardly shows hardly moves: else
pixels with a large a, which move like all others, would leave the optimiser no steps for the rest of the picture.
"""

import torch
from torch import Tensor

from service.style.options import Options
from service.style.regions import pooled

MIDDLE = 0.5
"""Strength of the paper's α/β."""

EXPONENT = 0.85
"""Of the opacity below MIDDLE. Equal steps of strength are to be equal steps of LPIPS from the photograph
(docs/develop/measurements.md); so are the two numbers below."""

STRONGEST = 1e-2
"""α/β towards strength 0."""

WEAKEST = 1e-5
"""α/β at strength 1: little of the photograph's arrangement is left."""


def strength_to_opacity(strength: float) -> float:
    """Opacity of the painting over the photograph: all of it from MIDDLE on, and none at 0.

    Raises:
        ValueError: strength is outside 0..1.
    """
    _require_strength(strength)
    return float(_opacity(torch.tensor(strength, dtype=torch.float64)))


def opacity_to_strength(opacity: float) -> float:
    """The strength below MIDDLE that has this opacity, 0 <= opacity < 1."""
    return float(MIDDLE * opacity ** (1 / EXPONENT))


def strength_to_content_weight(strength: float) -> float:
    """α, for β = 1.

    It falls from STRONGEST at 0 to the paper's 1e-3 at MIDDLE by the same factor in each step, and from there to
    WEAKEST by the same difference in each step.

    Raises:
        ValueError: strength is outside 0..1.
    """
    _require_strength(strength)
    return float(_content_weight(torch.tensor(strength, dtype=torch.float64)))


def amounts(grey: Tensor, layer: str, options: Options) -> Tensor:
    """The a of each position of a layer, (h, w), at least 1.

    It is the grey that is pooled: a soft edge is as soft in strength, where a mean of a would be that of its darkest.

    Args:
        grey: the mask at the picture's size, (1, 1, H, W) in [0, 1].
        layer: its name.
        options: of the request; its α is above 0.
    """
    whole = torch.tensor(_asked(options), device=grey.device)
    return (_content_weight(whole * pooled(grey, layer)) / _content_weight(whole))[0, 0]


def shown(grey: Tensor, options: Options) -> Tensor:
    """How much of the painting is seen, and how freely it moves, (1, 1, H, W) in [0, 1]: 1 where the grey is 1.

    Args:
        grey: the mask at the picture's size, (1, 1, H, W) in [0, 1].
        options: of the request; its α is above 0.
    """
    whole = torch.tensor(_asked(options), device=grey.device)
    return _opacity(whole * grey) / _opacity(whole)


def opacity(grey: Tensor, options: Options) -> Tensor:
    """Of the painting over the photograph, (1, 1, H, W) in [0, 1]: the request's where the grey is 1; see `shown`."""
    return options.opacity * shown(grey, options)


def _asked(options: Options) -> float:
    """The strength that a request stands for: from MIDDLE to 1 where the photograph does not show through."""
    if options.opacity < 1:
        return opacity_to_strength(options.opacity)
    if options.style_weight == 0:
        return MIDDLE
    ratio = options.content_weight / options.style_weight
    beyond = (Options.content_weight - ratio) / (Options.content_weight - WEAKEST)
    return MIDDLE + (1 - MIDDLE) * min(1.0, max(0.0, beyond))


def _opacity(strength: Tensor) -> Tensor:
    return (strength / MIDDLE).clamp(max=1) ** EXPONENT


def _content_weight(strength: Tensor) -> Tensor:
    paper = Options.content_weight
    below = STRONGEST * (paper / STRONGEST) ** (strength / MIDDLE)
    beyond = (strength - MIDDLE) / (1 - MIDDLE)
    return torch.where(strength < MIDDLE, below, (1 - beyond) * paper + beyond * WEAKEST)


def _require_strength(strength: float) -> None:
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is {strength}: give a number from 0 to 1")
