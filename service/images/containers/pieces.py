"""How many pieces a file may be made of: walking over them takes time that no pixel pays for."""


class TooManyPiecesError(ValueError):
    """More pieces than a file of this size needs; the message goes on after "the file"."""


class Pieces:
    """Counts pieces of a file.

    Encoders write pieces of kilobytes. Pieces of a few bytes, millions of them, only cost time.

    Args:
        size: of the file, in bytes.
    """

    def __init__(self, size: int) -> None:
        self._most = self._left = 1000 + size // 512

    def count(self) -> None:
        """Note that there is one more.

        Raises:
            TooManyPiecesError: that is too many.
        """
        self._left -= 1
        if self._left < 0:
            raise TooManyPiecesError(f"is made of more than {self._most} pieces")
