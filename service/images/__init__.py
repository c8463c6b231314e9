"""Pictures in and out: bytes to an upright 8-bit sRGB tensor, and back."""

from service.images.decode import Decoded, decode
from service.images.encode import encode
from service.images.errors import (
    BrokenImage,
    ImageError,
    TooManyLabels,
    TooManyPixels,
    TooSmall,
    UnsupportedFormat,
)
from service.images.formats import MEDIA_TYPES, Format, SourceFormat
from service.images.warm_up import warm_up

__all__ = [
    "MEDIA_TYPES",
    "BrokenImage",
    "Decoded",
    "Format",
    "ImageError",
    "SourceFormat",
    "TooManyLabels",
    "TooManyPixels",
    "TooSmall",
    "UnsupportedFormat",
    "decode",
    "encode",
    "warm_up",
]
