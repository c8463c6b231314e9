"""Everything once before the first picture comes: codecs and profiles are loaded when they are first used."""

import torch

from service.images.decode import decode
from service.images.encode import encode
from service.images.formats import MEDIA_TYPES

_SIDE = 32  # pixels


def warm_up() -> None:
    """Encode and decode a small picture in each format: a quarter of a second, which a client would wait else."""
    picture = torch.arange(3 * _SIDE * _SIDE, dtype=torch.uint8).view(3, _SIDE, _SIDE)
    for name in MEDIA_TYPES:
        decode(encode(picture, name))
