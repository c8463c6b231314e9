"""JPEG: markers, segments, and scans of coded data (ITU-T T.81, annex B)."""

import io
import re
import struct

from service.images.containers.pieces import Pieces, TooManyPiecesError

SIGNATURE = b"\xff\xd8\xff"
# Each scan of a progressive picture passes over all of it. Encoders write ten or so.
MOST_SCANS = 100
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
# Not a stuffed zero, a restart, or a fill byte (B.1.1.2, B.1.1.5).
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_WITHOUT_LENGTH = (0x01, 0xD8)  # TEM, SOI
_END = b"\xff\xd9"
# Bytes that a decoder takes for coded data where some are missing, and passes over where none are.
_FILLER = b"\x55" * 64
# Start of frame (table B.1), by what decoders for 8 bits cannot do; the first byte after its length is the precision.
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
_OTHER_FRAMES = {
    **dict.fromkeys((0xC3, 0xCB), "lossless JPEG"),
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "hierarchical JPEG"),
    0xF7: "JPEG-LS",
}


class HeaderFile(io.BytesIO):
    """A file that can be read only so often: Pillow looks at each marker, and each byte between them.

    A header takes four reads for each segment, decoding one for each 64 KiB.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._pieces = Pieces(len(data))

    def read(self, size: int | None = -1, /) -> bytes:
        """As of any file.

        Raises:
            TooManyPiecesError: it has been read too often.
        """
        self._pieces.count()
        return super().read(size)


def check_scans(data: bytes, most: int = MOST_SCANS) -> None:
    """Look for more scans than a picture has, or than so many.

    Raises:
        TooManyPiecesError: there are too many, or too many segments.
    """
    if data.count(b"\xff\xda") > most and _scans(data) > most:
        raise TooManyPiecesError(f"has more than {most} scans")


def _scans(data: bytes) -> int:
    """Scans of the first picture; what follows it, such as the video of a phone, may have any bytes."""
    pieces = Pieces(len(data))
    scans = 0
    found = _MARKER.search(data, 2)
    while found is not None:
        pieces.count()
        marker, end = found[1][0], found.end()
        if marker == _END_OF_IMAGE:
            break
        scans += marker == _START_OF_SCAN
        if marker not in _WITHOUT_LENGTH and end + 2 <= len(data):
            end += max(2, struct.unpack_from(">H", data, end)[0])
        found = _MARKER.search(data, end)
    return scans


def ended(data: bytes) -> tuple[bytes, bytes]:
    """A file whose end marker is missing, with one; and the same with bytes before it that decode to something.

    A decoder makes up what is missing from the bytes that follow. Where both files give the same pixels, none are.
    """
    coded = data.rstrip(b"\xff")  # the first half of a marker
    return coded + _END, coded + _FILLER + _END


def unread_kind(data: bytes) -> str | None:
    """The name of a kind of JPEG that no decoder here reads; None if it is an ordinary one, or damaged."""
    pieces = Pieces(len(data))
    found = _MARKER.search(data, 2)
    while found is not None and found[1][0] not in (_START_OF_SCAN, _END_OF_IMAGE):
        pieces.count()
        marker, end = found[1][0], found.end()
        if marker in _OTHER_FRAMES:
            return _OTHER_FRAMES[marker]
        if marker in _FRAMES and data[end + 2 : end + 3] == b"\x0c":
            return "JPEG of 12 bits"
        if marker not in _WITHOUT_LENGTH and end + 2 <= len(data):
            end += max(2, struct.unpack_from(">H", data, end)[0])
        found = _MARKER.search(data, end)
    return None
