"""From errors, whoever raised them, to the problems that they are answered with."""

import logging

from werkzeug.exceptions import HTTPException

from service.api.context import current_service
from service.api.record import record
from service.engine import (
    BatchFullError,
    CannotMeetDeadlineError,
    DeadlineError,
    EngineDiedError,
    JobError,
    KeyLimitError,
    NotReadyError,
    OutOfMemoryError,
    PlaceLostError,
    QueueFullError,
    RefusedError,
)
from service.intake import OptionsError, PictureError, TooLargeError
from service.problems import (
    CANNOT_MEET_DEADLINE,
    DEADLINE_EXCEEDED,
    ENGINE_DIED,
    INTERNAL,
    INVALID_REQUEST,
    KEY_LIMIT,
    MALFORMED,
    NOT_READY,
    OUT_OF_MEMORY,
    PROBLEMS,
    QUEUE_FULL,
    UNSUPPORTED_IMAGE,
    UNUSABLE_IMAGE,
    UPLOAD_STALLED,
    Problem,
)

log = logging.getLogger(__name__)

RESTART_SECONDS = 30
"""Until a service that has died is worth asking again: the network has to be loaded."""

_BY_STATUS = {problem.status: problem for problem in reversed(list(PROBLEMS.values()))}


def problem_of(error: Exception) -> Problem:
    """What to answer in place of an error of the current request. One that nobody expected is logged."""
    match error:
        case Problem():
            return error
        case OptionsError() | TooLargeError():
            return Problem(INVALID_REQUEST, str(error), errors=error.errors)
        case PictureError():
            kind = UNSUPPORTED_IMAGE if error.unsupported else UNUSABLE_IMAGE
            return Problem(kind, str(error), errors=error.errors)
        case RefusedError():
            return _refusal(error)
        case DeadlineError():
            return Problem(DEADLINE_EXCEEDED)
        case OutOfMemoryError():
            return Problem(OUT_OF_MEMORY, retry_after=current_service().admission.retry_after())
        case EngineDiedError():
            return Problem(ENGINE_DIED, retry_after=RESTART_SECONDS)
        case JobError():  # logged by the engine, with all there is to know
            return Problem(INTERNAL)
        case HTTPException():
            return _of_http(error)
        case _:
            log.error("an unexpected error", exc_info=error, extra={"request_id": record().request_id})
            return Problem(INTERNAL)


def _of_http(error: HTTPException) -> Problem:
    """Flask's and Werkzeug's own errors: no such path, wrong method, ..."""
    status = error.code or 500
    kind = _BY_STATUS.get(status, MALFORMED if status < 500 else INTERNAL)
    allow = dict(error.get_headers()).get("Allow")
    return Problem(kind, headers={"Allow": ", ".join(sorted(allow.split(", ")))} if allow else None)


def _requests(number: int) -> str:
    return f"{number} request" if number == 1 else f"{number} requests"


def _refusal(error: RefusedError) -> Problem:
    """The problem in place of a place."""
    again = f"try again in {error.retry_after} seconds"
    match error:
        case QueueFullError():
            kind, detail = QUEUE_FULL, f"The queue is full: {again}."
        case KeyLimitError():
            kind, detail = (
                KEY_LIMIT,
                f"This key has {_requests(error.places)} in progress, which is the limit: {again}.",
            )
        case BatchFullError():
            kind, detail = (
                KEY_LIMIT,
                f"Batch keys have {_requests(error.places)} in progress together, which is their limit: {again}.",
            )
        case CannotMeetDeadlineError():
            kind = CANNOT_MEET_DEADLINE
            detail = (
                f"Other requests come first and take {error.ahead:.1f} seconds: {again}, or allow more time with "
                "X-Request-Timeout."
            )
        case PlaceLostError():
            return Problem(
                UPLOAD_STALLED,
                "The upload was too slow while others were waiting: send the whole body without pausing.",
            )
        case NotReadyError():
            kind, detail = NOT_READY, f"The service is {error.state}: {again}."
        case _:
            raise TypeError(f"{type(error).__name__} has no problem of its own") from error
    return Problem(kind, detail, retry_after=error.retry_after)
