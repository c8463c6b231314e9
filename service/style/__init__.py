"""The paper: pure torch, no HTTP, no settings, no globals. Importable in a notebook without the service."""

from service.style.anchor import Anchor
from service.style.copies import Copies, pinned
from service.style.filters import close, meeting
from service.style.inputs import Inputs
from service.style.options import (
    PAPER_CONTENT_LAYERS,
    PAPER_STYLE_LAYERS,
    Color,
    Depth,
    Init,
    Options,
    Tile,
)
from service.style.progress import Progress, Result, Stopped, finish
from service.style.regions import Masks
from service.style.resample import fit, grey, kept, reduce, reduce_seen
from service.style.strength import opacity_to_strength, strength_to_content_weight, strength_to_opacity
from service.style.transfer import result_size, score, stylize
from service.style.transparency import fill
from service.style.work import Shapes, Size, Work

__all__ = [
    "PAPER_CONTENT_LAYERS",
    "PAPER_STYLE_LAYERS",
    "Anchor",
    "Color",
    "Copies",
    "Depth",
    "Init",
    "Inputs",
    "Masks",
    "Options",
    "Progress",
    "Result",
    "Shapes",
    "Size",
    "Stopped",
    "Tile",
    "Work",
    "close",
    "fill",
    "finish",
    "fit",
    "grey",
    "kept",
    "meeting",
    "opacity_to_strength",
    "pinned",
    "reduce",
    "reduce_seen",
    "result_size",
    "score",
    "strength_to_content_weight",
    "strength_to_opacity",
    "stylize",
]
