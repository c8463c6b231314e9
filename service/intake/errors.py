"""Why a request cannot be painted as it was asked for."""

from service.images import ImageError, UnsupportedFormat
from service.problems import FieldError


class OptionsError(Exception):
    """Options that cannot be used.

    Attributes:
        errors: one for each, all at once.
    """

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(" ".join(error.message for error in errors))
        self.errors = errors


class PictureError(Exception):
    """A picture that cannot be used.

    Attributes:
        part: which one it is, such as "content" or "style 2".
        reason: what is wrong with it.
    """

    def __init__(self, part: str, reason: ImageError) -> None:
        super().__init__(f"{part}: {reason}.")
        self.part = part
        self.reason = reason

    @property
    def errors(self) -> list[FieldError]:
        """The same as what is wrong with a field of the request."""
        return [FieldError(self.part.partition(" ")[0], str(self))]

    @property
    def unsupported(self) -> bool:
        """Whether its format is the reason."""
        return isinstance(self.reason, UnsupportedFormat)


class TooLargeError(Exception):
    """A request that is right in itself, and too large for the network or for the memory of this machine.

    Attributes:
        errors: what to change.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.errors = [FieldError("size", message)]
