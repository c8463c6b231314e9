"""Pictures in and out: bytes to an upright 8-bit sRGB tensor, and back."""

from service.images.codecs import load_codecs
from service.images.decode import Decoded, decode
from service.images.delivery import deliver, resized
from service.images.encode import encode, on_white
from service.images.errors import (
    BrokenImage,
    ImageError,
    Invisible,
    TooManyLabels,
    TooManyPixels,
    TooSmall,
    UnsupportedFormat,
)
from service.images.formats import MEDIA_TYPES, Format, InputFormat, sniff
from service.images.labels import Labels, colour_name, read_labels
from service.images.metadata import MOST_DPI, Metadata, Provenance, SourceType

__all__ = [
    "MEDIA_TYPES",
    "MOST_DPI",
    "BrokenImage",
    "Decoded",
    "Format",
    "ImageError",
    "InputFormat",
    "Invisible",
    "Labels",
    "Metadata",
    "Provenance",
    "SourceType",
    "TooManyLabels",
    "TooManyPixels",
    "TooSmall",
    "UnsupportedFormat",
    "colour_name",
    "decode",
    "deliver",
    "encode",
    "load_codecs",
    "on_white",
    "read_labels",
    "resized",
    "sniff",
]
