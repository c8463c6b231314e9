"""WebP: chunks in a RIFF file (RFC 9649, section 2)."""

import struct

from service.images.containers.pieces import Pieces


def check_chunks(data: bytes) -> None:
    """Count the chunks.

    Raises:
        TooManyPiecesError: there are more than a file of this size needs.
    """
    pieces = Pieces(len(data))
    start = 12
    while start + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, start)
        if kind != b"ANMF":  # a frame of an animation costs next to nothing until it is decoded
            pieces.count()
        start += 8 + length + length % 2
