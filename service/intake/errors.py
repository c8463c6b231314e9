"""Why a request cannot be painted as it was asked for."""

from service.problems import FieldError


class OptionsError(Exception):
    """Options that cannot be used.

    Attributes:
        errors: one for each, all at once.
    """

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(" ".join(error.message for error in errors))
        self.errors = errors
