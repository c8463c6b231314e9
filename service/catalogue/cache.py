"""Decoded pictures that were used last, as many as fit."""

import threading
from collections import OrderedDict

from service.catalogue.folder import File
from service.images import Decoded


class Cache:
    """Keeps decoded pictures by their files, and forgets those that were not used for the longest time.

    Args:
        limit: bytes of pixels.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pictures: OrderedDict[File, Decoded] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, file: File) -> Decoded | None:
        """The picture of this file, if it is still there."""
        with self._lock:
            picture = self._pictures.get(file)
            if picture is not None:
                self._pictures.move_to_end(file)
            return picture

    def put(self, file: File, picture: Decoded) -> None:
        """Keep it, unless it is too large to be kept at all."""
        with self._lock:
            self._pictures.pop(file, None)
            if _size(picture) > self._limit:
                return
            self._pictures[file] = picture
            while self.size > self._limit:
                self._pictures.popitem(last=False)

    def keep_only(self, files: set[File]) -> None:
        """Forget the pictures of all other files."""
        with self._lock:
            for file in self._pictures.keys() - files:
                del self._pictures[file]

    @property
    def size(self) -> int:
        """Bytes of pixels that are kept."""
        return sum(map(_size, self._pictures.values()))


def _size(picture: Decoded) -> int:
    return picture.rgb.numel() + (0 if picture.alpha is None else picture.alpha.numel())
