"""Everything once before the first picture comes: codecs and profiles are loaded when they are first used."""

import numpy as np

from service.images.decode import read_pixels
from service.images.encode import encode_planes
from service.images.formats import MEDIA_TYPES

_SIDE = 32  # pixels


def load_codecs() -> None:
    """Encode and decode a small picture in each format: a quarter of a second, which a client would wait else."""
    picture = np.arange(3 * _SIDE * _SIDE).astype(np.uint8).reshape(3, _SIDE, _SIDE)
    for name in MEDIA_TYPES:
        read_pixels(encode_planes(picture, name))
