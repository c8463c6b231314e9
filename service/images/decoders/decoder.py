"""What reads the pictures of a request, wherever it does."""

from typing import Protocol

from service.images.decode import Decoded, decode
from service.images.labels import Labels, read_labels


class Decoder(Protocol):
    """Reads pictures, within the limits of whoever made it."""

    def picture(self, data: bytes, wanted: int | None = None, *, counted: bool = True) -> Decoded:
        """Decode a picture: see `service.images.decode`.

        Args:
            data: the file.
            wanted: the longest side that it will be used at.
            counted: whether it is part of the budget; a picture of the service's own is not.

        Raises:
            ImageError: it cannot be used.
            MemoryError: the machine has none left.
        """

    def labels(self, data: bytes, longest: int) -> Labels:
        """Read a label image: see `service.images.read_labels`.

        Raises:
            ImageError: it cannot be used.
            MemoryError: the machine has none left.
        """


class LocalDecoder:
    """Reads pictures in this process: those of its own user, who harms nobody else.

    Args:
        max_pixels: of one picture.
        heic: whether HEIC is read too.
    """

    def __init__(self, *, max_pixels: int = 40_000_000, heic: bool = False) -> None:
        self._max_pixels = max_pixels
        self._heic = heic

    def picture(self, data: bytes, wanted: int | None = None, *, counted: bool = True) -> Decoded:
        """See `Decoder`; there is no budget."""
        return decode(data, max_pixels=self._max_pixels, heic=self._heic, wanted=wanted)

    def labels(self, data: bytes, longest: int) -> Labels:
        """See `Decoder`."""
        return read_labels(decode(data, max_pixels=self._max_pixels, heic=self._heic, managed=False), longest)
