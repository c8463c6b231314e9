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
        pieces.count(
            kind != b"ANMF"
        )  # the frames of an animation cost next to nothing until they are decoded
        start += 8 + length + length % 2
