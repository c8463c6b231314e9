"""The head of a request while it comes in, before there is a thread for it."""

from gunicorn.http import errors as http

MOST_BYTES = 1 << 16
"""Of a head: more than what gunicorn allows its lines in all real requests."""

_LINE, _END = b"\r\n", b"\r\n\r\n"


class Head:
    """What has come so far of a request: at least its head, once it is `done`.

    Attributes:
        error: why it will never be a request; None where it may be one.
    """

    def __init__(self) -> None:
        self.error: http.ParseException | None = None
        self._bytes = bytearray()

    def __bytes__(self) -> bytes:
        """All of it, with what came of the body in the same pieces."""
        return bytes(self._bytes)

    def add(self, piece: bytes) -> bool:
        """Whether that is all that is needed: the whole head, or what shows that there will be none.

        Args:
            piece: the next bytes. Looked at once, however small the pieces are.
        """
        seen = len(self._bytes)
        self._bytes += piece
        # RFC 9112, section 2.2: one empty line may come first.
        begin = len(_LINE) if self._bytes.startswith(_LINE) else 0
        if self._bytes.find(_END, max(begin, seen - len(_END) + 1)) >= 0:
            return True
        if self._bytes.count(b"\n", seen) != self._bytes.count(_LINE, max(0, seen - 1)):
            self.error = http.InvalidHeader("bare LF as line terminator")
        elif len(self._bytes) > MOST_BYTES:
            self.error = http.LimitRequestHeaders("the head is too long")
        return self.error is not None
