"""From what was asked, by anyone, to what is painted."""

from service.intake.base64_text import decode_base64
from service.intake.bounds import Bounds
from service.intake.completion import PaintRequest, complete
from service.intake.contract import MAX_STYLES, PICTURES, STYLE_NAME, StylizeOptions, parse_options
from service.intake.errors import OptionsError, PictureError, TooLargeError
from service.intake.operations import OPERATIONS, RECONSTRUCT_CONTENT, RECONSTRUCT_STYLE, STYLIZE, Operation
from service.intake.preparation import Delivery, prepare
from service.intake.submission import Submission

__all__ = [
    "MAX_STYLES",
    "OPERATIONS",
    "PICTURES",
    "RECONSTRUCT_CONTENT",
    "RECONSTRUCT_STYLE",
    "STYLE_NAME",
    "STYLIZE",
    "Bounds",
    "Delivery",
    "Operation",
    "OptionsError",
    "PaintRequest",
    "PictureError",
    "StylizeOptions",
    "Submission",
    "TooLargeError",
    "complete",
    "decode_base64",
    "parse_options",
    "prepare",
]
