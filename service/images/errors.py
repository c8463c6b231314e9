"""What can be wrong with a picture that somebody sent; each message is a sentence for that person.

What an error was made from is in its `args`, so that another process can make the same one.
"""

from typing import Literal


class ImageError(Exception):
    """The bytes cannot be used as a picture."""


class UnsupportedFormat(ImageError):  # noqa: N818
    """It is no picture, or one in a format that is not accepted."""


class BrokenImage(ImageError):  # noqa: N818
    """It begins like a picture of an accepted format, but cannot be decoded."""


class Invisible(ImageError):  # noqa: N818
    """Nothing of it is seen."""

    def __str__(self) -> str:
        return "all of the picture is transparent, or of an animation its first frame: send one with something to see"


class TooCostly(ImageError):  # noqa: N818
    """Its decoder needs far more of something than its pixels do, or has failed over it."""

    def __init__(self, what: Literal["time", "memory"]) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"it takes more {self.what} to decode than a request may: save it again, or send a smaller one"


class TooManyPixels(ImageError):  # noqa: N818
    """It has more pixels than are allowed.

    Attributes:
        limit: the most pixels that are allowed.
        actual: how many it has.
    """

    def __init__(self, limit: int, actual: int) -> None:
        super().__init__(limit, actual)
        self.limit = limit
        self.actual = actual

    def __str__(self) -> str:
        return (
            f"the picture has {self.actual / 1e6:.1f} megapixels and at most {self.limit / 1e6:.4g} are accepted: "
            "send a smaller one"
        )


class TooManyPixelsTogether(ImageError):  # noqa: N818
    """With those before it, it has more pixels than the pictures of one request may have.

    Attributes:
        limit: the most pixels of all pictures of a request.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"the pictures up to this one have more than {self.limit / 1e6:.4g} megapixels together, which is the "
            "most that are accepted of one request: send smaller ones, or fewer"
        )


class TooManyLabels(ImageError):  # noqa: N818
    """It is not a label image: it has more colours than there are labels."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"the picture has more than {self.limit} colours besides black: paint each region in one flat colour, "
            "and save it as PNG, without antialiasing and never as JPEG"
        )


class TooSmall(ImageError):  # noqa: N818
    """One of its sides is too short.

    Attributes:
        minimum: the least length of a side, in pixels.
        actual: the length of its shorter side.
    """

    def __init__(self, minimum: int, actual: int) -> None:
        super().__init__(minimum, actual)
        self.minimum = minimum
        self.actual = actual

    def __str__(self) -> str:
        return (
            f"the picture's shorter side has {self.actual} px and at least {self.minimum} px are needed: "
            "send a larger one"
        )
