"""The answer to Accept: text/event-stream: watch it being painted, in the same request (WHATWG HTML, section 9.2).

queued, progress and preview come as they happen, then exactly one of result or error. Everything that is known
to be wrong before the picture waits for its turn is an ordinary problem instead, with its status.
"""

import base64
import math
import time
from collections.abc import Callable, Generator

from flask import Response, request, stream_with_context
from pydantic import BaseModel
from torch import Tensor

from service.api.context import Service
from service.api.lifecycle import problem_body
from service.api.paint import answer
from service.api.paint import deadline as timeout
from service.api.paint.report import PreviewData, ProgressData, QueuedData
from service.api.paint.upload import client_gone
from service.api.problems import problem_of
from service.api.record import record
from service.engine import Glimpse, Job, Watch
from service.images import MEDIA_TYPES, deliver
from service.intake import Delivery
from service.style import reduce

MEDIA_TYPE = "text/event-stream"

PROGRESS_SECONDS = 0.2
PREVIEW_SECONDS = 0.5
KEEP_ALIVE_SECONDS = 10.0
PREVIEW_SIZE = 384
"""Longest side of a preview, in pixels."""

# How often it looks what is new, and whether its client is still there. The end of the job is noticed at once.
_TICK_SECONDS = 0.02
_PREVIEW_QUALITY = 80


def respond(
    service: Service, delivery: Delivery, job: Job, watch: Watch, clock: Callable[[], float] = time.monotonic
) -> Response:
    """The stream.

    Args:
        service: that works on the job.
        delivery: how the picture is to be delivered.
        job: handed to the engine already. It is given up when the stream is closed before its end.
        watch: of this job.
        clock: monotonic seconds.
    """
    record().outcome = "client_gone"  # until the last event has been taken
    response = Response(
        stream_with_context(_stream(service, delivery, job, watch, clock)), content_type=MEDIA_TYPE
    )
    response.vary.add("Accept")
    response.headers.update(
        {
            "X-Accel-Buffering": "no",  # nginx would collect the events
            "X-Stylize-Seed": str(delivery.options.seed),
            "X-Stylize-Backbone": service.engine.model.backbone,
        }
    )
    # Here and not in the generator: one whose very first event finds nobody is never started.
    response.call_on_close(lambda: service.engine.queue.cancel(job))
    return response


def _stream(
    service: Service, delivery: Delivery, job: Job, watch: Watch, clock: Callable[[], float]
) -> Generator[bytes, None, None]:
    try:
        gone = yield from _while_it_lasts(service, delivery, job, watch, clock)
        if gone:
            return
        result = answer.result_of(service, job)
        picture = answer.encoded(service, delivery, result)
        last = _event("result", answer.report(service, delivery, result, picture))
        outcome = "ok"
    except Exception as error:
        problem = problem_of(error)
        last = _frame("error", problem_body(problem))
        outcome = problem.kind.outcome
    record().outcome = "client_gone"
    yield last
    record().outcome = outcome


def _while_it_lasts(
    service: Service, delivery: Delivery, job: Job, watch: Watch, clock: Callable[[], float]
) -> Generator[bytes, None, bool]:
    """What there is to see until the job has ended; returns whether the client went away before."""
    position: int | None = None
    shown: Glimpse | None = None
    quiet_since = progress_due = preview_due = clock()
    while True:
        now = clock()
        said = []
        ahead, latest, picture = service.engine.queue.ahead_of(job), watch.latest, watch.take()
        if ahead != position:
            position = ahead
            seconds = round(service.engine.queue.seconds_before(job), 1)
            said.append(_event("queued", QueuedData(request_id=job.label, position=ahead, seconds=seconds)))
        if latest is not None and latest is not shown and now >= progress_due:
            shown, progress_due = latest, now + PROGRESS_SECONDS
            said.append(_event("progress", _progress(latest)))
        if picture is not None:
            preview_due = now + PREVIEW_SECONDS
            said.append(_event("preview", _preview(picture, delivery.alpha)))
        if now >= preview_due:
            preview_due = math.inf  # until this one is there
            watch.ask()
        if not said and now >= quiet_since + KEEP_ALIVE_SECONDS:
            said.append(b": keep-alive\n\n")
        if said:
            quiet_since = now
            yield b"".join(said)
        if timeout.wait(service, job, _TICK_SECONDS):
            return False
        if client_gone(request.environ):
            return True


def _progress(glimpse: Glimpse) -> ProgressData:
    return ProgressData(
        fraction=glimpse.fraction,
        evaluations=glimpse.evaluations,
        loss=glimpse.loss,
        seconds_left=glimpse.seconds_left if math.isfinite(glimpse.seconds_left) else None,
        width=glimpse.width,
        height=glimpse.height,
    )


def _preview(picture: Tensor, alpha: Tensor | None) -> PreviewData:
    small = reduce(picture, PREVIEW_SIZE)
    return PreviewData(
        image=base64.b64encode(deliver(small, "jpeg", _PREVIEW_QUALITY, alpha)).decode(),
        media_type=MEDIA_TYPES["jpeg"],
        width=small.shape[-1],
        height=small.shape[-2],
    )


def _event(name: str, data: BaseModel) -> bytes:
    return _frame(name, data.model_dump_json())


def _frame(name: str, data: str) -> bytes:
    """One event. JSON as it is written here has no line breaks, so it is one line of data."""
    return f"event: {name}\ndata: {data}\n\n".encode()
