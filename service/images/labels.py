"""Label images: pictures whose flat colours say which region a pixel belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.images.decode import Decoded
from service.images.errors import TooManyLabels
from service.images.formats import InputFormat

if TYPE_CHECKING:  # the decoders' processes import this module, and must not import torch
    from torch import Tensor

MAX_LABELS = 8
"""Colours beside black. A picture has far more where its regions were antialiased, or it was saved as JPEG."""

BLACK = 0
_ROWS = 256


@dataclass(frozen=True)
class Labels:
    """A label image.

    Attributes:
        colours: those that occur beside black, as 0xRRGGBB, ascending.
        codes: int32 (H, W), the colour of each pixel.
        size: (width, height) of the file's picture, upright.
        format: what it came as.
    """

    colours: tuple[int, ...]
    codes: "Tensor"
    size: tuple[int, int]
    format: InputFormat = "png"

    @classmethod
    def of(
        cls,
        colours: Sequence[int],
        codes: NDArray[np.int32],
        size: tuple[int, int],
        format: InputFormat,  # noqa: A002
    ) -> "Labels":
        """With a tensor, which shares the memory of the codes."""
        import torch

        return cls(tuple(colours), torch.from_numpy(codes), size, format)

    def numbered(self, colours: tuple[int, ...]) -> "Tensor":
        """uint8 (H, W): for each pixel the place of its colour among these, from 1; 0 for black and any other."""
        numbers = self.codes.byte().zero_()
        for number, colour in enumerate(colours, start=1):
            numbers[self.codes == colour] = number
        return numbers


def read_labels(picture: Decoded, longest: int) -> Labels:
    """The labels of a picture that was decoded without colour management; see `find_labels`."""
    colours, codes = find_labels(picture.rgb.numpy(), longest)
    return Labels.of(colours, codes, picture.size, picture.format)


def find_labels(rgb: NDArray[np.uint8], longest: int) -> tuple[tuple[int, ...], NDArray[np.int32]]:
    """The colours that occur beside black, as 0xRRGGBB, ascending; and (h, w) the colour of each pixel.

    Args:
        rgb: (3, H, W), the label image. Its transparency does not count.
        longest: the longest side at which it will be used, in pixels. A larger one is reduced to it, each pixel to
            one of those that were there: a mean of labels is no label.

    Raises:
        TooManyLabels: there are more than MAX_LABELS colours beside black.
    """
    height, width = rgb.shape[1:]
    colours: set[int] = set()
    for top in range(0, height, _ROWS):  # in strips: the codes of 40 megapixels take 160 MB
        strip = _codes(rgb[:, top : top + _ROWS]).ravel()
        # Flat colours come in runs, and sorting their beginnings is much quicker than sorting all pixels.
        begins = np.flatnonzero(np.diff(strip, prepend=strip[:1] ^ 1))
        colours.update(np.unique(strip[begins]).tolist())
        if len(colours - {BLACK}) > MAX_LABELS:
            raise TooManyLabels(MAX_LABELS)
    scale = min(1.0, longest / max(height, width))
    rows, columns = (_nearest(side, max(1, round(side * scale))) for side in (height, width))
    return tuple(sorted(colours - {BLACK})), _codes(rgb[:, rows[:, None], columns])


def colour_name(colour: int) -> str:
    """A colour as it is written everywhere: #rrggbb."""
    return f"#{colour:06x}"


def _codes(rgb: NDArray[np.uint8]) -> NDArray[np.int32]:
    """(3, H, W) -> 0xRRGGBB, (H, W)."""
    wide = rgb.astype(np.int32)
    codes: NDArray[np.int32] = wide[0] << 16 | wide[1] << 8 | wide[2]
    return codes


def _nearest(side: int, wanted: int) -> NDArray[np.int64]:
    """Which of `side` pixels stand for `wanted` ones: those in the middle of each."""
    return (2 * np.arange(wanted) + 1) * side // (2 * wanted)
