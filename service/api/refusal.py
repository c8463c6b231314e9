"""What those are told who have to come again later."""

from service.engine.refusals import (
    CannotMeetDeadlineError,
    KeyLimitError,
    NotReadyError,
    PlaceLostError,
    QueueFullError,
    RefusedError,
)
from service.problems import CANNOT_MEET_DEADLINE, KEY_LIMIT, NOT_READY, QUEUE_FULL, UPLOAD_STALLED, Problem


def refusal(error: RefusedError) -> Problem:
    """The problem in place of a place."""
    again = f"try again in {error.retry_after} seconds"
    match error:
        case QueueFullError():
            kind, detail = QUEUE_FULL, f"All {error.places} places are taken: {again}."
        case KeyLimitError():
            kind, detail = KEY_LIMIT, f"All {error.places} places of this key are taken: {again}."
        case CannotMeetDeadlineError():
            kind = CANNOT_MEET_DEADLINE
            detail = (
                f"{error.ahead:.1f} seconds of work come first: {again}, or with a longer X-Request-Timeout."
            )
        case PlaceLostError():
            return Problem(
                UPLOAD_STALLED,
                "Others were waiting, and hardly a byte came: send the whole body without pausing.",
            )
        case NotReadyError():
            kind, detail = NOT_READY, f"The service is {error.state}: {again}."
        case _:
            raise TypeError(f"{type(error).__name__} has no problem of its own") from error
    return Problem(kind, detail, retry_after=error.retry_after)
