"""The picture as it leaves: with the transparency that the photograph came with, as a file."""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from service.images.encode import NOTHING, encode
from service.images.formats import Format
from service.images.metadata import Metadata

if TYPE_CHECKING:  # the decoders' processes import this package, and must not import torch
    from torch import Tensor


def deliver(
    picture: "Tensor",
    image_format: Format,
    quality: int | None,
    alpha: "Tensor | None",
    metadata: Metadata = NOTHING,
) -> bytes:
    """Encode a result.

    Args:
        picture: uint8 or uint16 (3, H, W), sRGB.
        image_format: of the file.
        quality: 1 to 100, or None for the format's own.
        alpha: uint8 (1, h, w) of the photograph, of any size; None where it was opaque.
        metadata: what the file says beside its pixels.
    """
    if alpha is not None:
        alpha = resized(alpha, picture.shape[-2], picture.shape[-1])
    return encode(picture, image_format, quality=quality, alpha=alpha, metadata=metadata)


def resized(alpha: "Tensor", height: int, width: int) -> "Tensor":
    """Alpha, uint8 (1, h, w) -> (1, height, width), with the filter that the photograph itself is resized with."""
    import torch

    image = Image.fromarray(alpha[0].numpy()).resize((width, height), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(image))[None]
