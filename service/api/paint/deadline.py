"""The time that a client gives its request, and what happens when it has passed."""

from flask import request

from service.api.context import Service
from service.engine import Job
from service.messages import quote
from service.problems import DEADLINE_EXCEEDED, INVALID_REQUEST, FieldError, Problem

HEADER = "X-Request-Timeout"
SHORTEST_SECONDS = 0.1
"""No answer comes in less, and a body could not be read."""

LATE_SECONDS = 2.0
"""That a picture may come after its deadline where it is begun already: better late than thrown away."""


def requested(service: Service) -> float:
    """Seconds from now in which the current request has to be answered: the server's, or less if the client says so.

    Raises:
        Problem: what the client says is no number of seconds.
    """
    most = service.settings.deadline
    given = request.headers.get(HEADER)
    if given is None:
        return most
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not SHORTEST_SECONDS <= seconds < float("inf"):
        message = (
            f"{HEADER} is {quote(given)}: give a number of seconds, {SHORTEST_SECONDS:g} at least, like 30."
        )
        raise Problem(INVALID_REQUEST, message, errors=[FieldError(HEADER, message)])
    return min(seconds, most)


def wait(service: Service, job: Job, seconds: float) -> bool:
    """Whether the job has ended, after waiting at most so long.

    Raises:
        Problem: its deadline has passed, and it has been given up.
    """
    left = job.deadline - service.engine.now()
    if job.wait(min(seconds, left) if left > 0 else seconds):
        return True
    late = service.engine.now() - job.deadline
    if late < 0 or (job.evaluations > 0 and late < LATE_SECONDS):
        return False
    service.engine.queue.cancel(job, "deadline")
    raise Problem(DEADLINE_EXCEEDED)
