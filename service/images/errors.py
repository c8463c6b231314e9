"""What can be wrong with a picture that somebody sent; each message is a sentence for that person."""


class ImageError(Exception):
    """The bytes cannot be used as a picture."""


class UnsupportedFormat(ImageError):  # noqa: N818
    """It is no picture, or one in a format that is not accepted."""


class BrokenImage(ImageError):  # noqa: N818
    """It begins like a picture of an accepted format, but cannot be decoded."""


class Invisible(ImageError):  # noqa: N818
    """Nothing of it is seen."""

    def __init__(self) -> None:
        super().__init__(
            "all of the picture is transparent, or of an animation its first frame: send one with something to see"
        )


class TooManyPixels(ImageError):  # noqa: N818
    """It has more pixels than are allowed.

    Attributes:
        limit: the most pixels that are allowed.
        actual: how many it has.
    """

    def __init__(self, limit: int, actual: int) -> None:
        super().__init__(
            f"the picture has {actual / 1e6:.1f} megapixels and at most {limit / 1e6:.4g} are accepted: "
            "send a smaller one"
        )
        self.limit = limit
        self.actual = actual


class TooManyLabels(ImageError):  # noqa: N818
    """It is not a label image: it has more colours than there are labels."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the picture has more than {limit} colours besides black: paint each region in one flat colour, and "
            "save it as PNG, without antialiasing and never as JPEG"
        )


class TooSmall(ImageError):  # noqa: N818
    """One of its sides is too short.

    Attributes:
        minimum: the least length of a side, in pixels.
        actual: the length of its shorter side.
    """

    def __init__(self, minimum: int, actual: int) -> None:
        super().__init__(
            f"the picture's shorter side has {actual} px and at least {minimum} px are needed: send a larger one"
        )
        self.minimum = minimum
        self.actual = actual
