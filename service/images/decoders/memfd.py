"""Bytes that two processes hand to each other as a file without a name, so that nobody copies them."""

import fcntl
import mmap
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Sealed, it can become no smaller under who has mapped it, which would end that process (memfd_create(2)).
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


def put(data: bytes) -> int:
    """A file with these bytes; returns its descriptor, which the caller closes."""
    file = os.memfd_create("picture", os.MFD_CLOEXEC)
    with open(file, "wb", closefd=False) as stream:
        stream.write(data)
    return file


def take(file: int) -> bytes:
    """All bytes of a file."""
    with open(file, "rb", closefd=False) as stream:
        stream.seek(0)
        return stream.read()


def put_arrays(arrays: Sequence[NDArray[Any]]) -> int:
    """A sealed file with the elements of these arrays, one after the other; the caller closes it."""
    file = os.memfd_create("pixels", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(file, sum(array.nbytes for array in arrays))
    start = 0
    with mmap.mmap(file, 0) as memory:
        for array in arrays:
            there = np.ndarray(array.shape, array.dtype, memory, start)
            there[...] = array
            start += array.nbytes
            del there  # a map that is looked at cannot be closed
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
    return file


def map_array(file: int) -> NDArray[np.uint8]:
    """The bytes of a sealed file, in place. They, and a descriptor, are held for as long as the array is.

    Raises:
        ValueError: whoever made the file could still make it smaller.
    """
    if fcntl.fcntl(file, fcntl.F_GET_SEALS) & _SEALS != _SEALS:
        raise ValueError("the pixels are in a file that is not sealed")
    return np.frombuffer(mmap.mmap(file, 0), np.uint8)
