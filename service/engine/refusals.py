"""Why a request is not let in, each reason with the seconds after which it may come again."""

from service.engine.engine import State


class RefusedError(Exception):
    """Somebody has to come again later.

    Attributes:
        retry_after: whole seconds after which it is worth asking again.
    """

    def __init__(self, reason: str, retry_after: int) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class QueueFullError(RefusedError):
    """Every place is taken.

    Attributes:
        places: how many there are.
    """

    def __init__(self, places: int, retry_after: int) -> None:
        super().__init__(f"all {places} places are taken", retry_after)
        self.places = places


class KeyLimitError(RefusedError):
    """The owner of a key has as many requests inside as one may have.

    Attributes:
        places: how many that is.
    """

    def __init__(self, places: int, retry_after: int) -> None:
        super().__init__(f"all {places} places of one key are taken", retry_after)
        self.places = places


class BatchFullError(RefusedError):
    """The batch keys together have as many requests inside as they may have.

    Attributes:
        places: how many that is.
    """

    def __init__(self, places: int, retry_after: int) -> None:
        super().__init__(f"all {places} places of batch keys are taken", retry_after)
        self.places = places


class CannotMeetDeadlineError(RefusedError):
    """There is a place, but too much to do before it.

    Attributes:
        ahead: seconds of work that come first.
    """

    def __init__(self, ahead: float, retry_after: int) -> None:
        super().__init__(f"{ahead:.1f} s of work come first", retry_after)
        self.ahead = ahead


class NotReadyError(RefusedError):
    """The engine does not serve yet, or no more.

    Attributes:
        state: of the engine.
    """

    def __init__(self, state: State, retry_after: int) -> None:
        super().__init__(f"the engine is {state}", retry_after)
        self.state = state


class PlaceLostError(RefusedError):
    """The place was given to somebody else, because hardly anything came of the body."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("the upload was too slow", retry_after)
