"""What a file says beside its pixels: read from a photograph, and written into a result."""

from service.images.metadata.kept import MOST_DPI, Metadata
from service.images.metadata.provenance import Provenance, SourceType
from service.images.metadata.reading import read_metadata
from service.images.metadata.writing import exif_data
from service.images.metadata.xmp import LARGEST_PACKET, packet

__all__ = [
    "LARGEST_PACKET",
    "MOST_DPI",
    "Metadata",
    "Provenance",
    "SourceType",
    "exif_data",
    "packet",
    "read_metadata",
]
