"""The answer to a picture that was asked for: its bytes, or JSON with a report."""

import base64
from dataclasses import asdict, dataclass

from flask import Response
from torch import Tensor

from service.api.context import Service
from service.api.lifecycle import record, stage
from service.api.paint.body import Submission
from service.api.paint.report import (
    BackboneReport,
    LossReport,
    RegionReport,
    StylizeReport,
    Timings,
    settings_used,
)
from service.catalogue import Style
from service.engine.jobs import DeadlineError, EngineDiedError, Job, JobError, OutOfMemoryError
from service.images import MEDIA_TYPES, Format
from service.images.delivery import deliver
from service.intake.masks import Region
from service.intake.operations import STYLIZE, Operation
from service.problems import DEADLINE_EXCEEDED, ENGINE_DIED, INTERNAL, OUT_OF_MEMORY, Problem
from service.style.options import Options
from service.style.progress import Result

RESTART_SECONDS = 30
"""Until a service that has died is worth asking again: the network has to be loaded."""


@dataclass(frozen=True)
class Asked:
    """A request that has been read, with pictures that have not been decoded.

    Attributes:
        sent: the files, and the options as they were given.
        named: artworks of the catalogue, which come after the files.
        options: complete.
        format: of the picture.
    """

    sent: Submission
    named: tuple[Style, ...]
    options: Options
    format: Format


@dataclass(frozen=True)
class Inputs:
    """Of a request that is painted, what its answer needs; none of its pictures, which are the engine's.

    Attributes:
        options: complete.
        format, quality: of the answer.
        alpha: uint8 (1, h, w) of the photograph, of any size; None where it was opaque.
        operation: that was asked for.
        regions: which parts are painted in which style.
    """

    options: Options
    format: Format
    quality: int | None
    alpha: Tensor | None = None
    operation: Operation = STYLIZE
    regions: tuple[Region, ...] = ()


def respond(service: Service, inputs: Inputs, result: Result, *, as_json: bool) -> Response:
    """The picture, as bytes or inside a report.

    Args:
        service: for its model and metrics.
        inputs: what was asked.
        result: what was painted.
        as_json: whether the client wants the report.
    """
    picture = encoded(service, inputs, result)
    if as_json:
        text = report(service, inputs, result, picture).model_dump_json()
        response = Response(text, content_type="application/json")
    else:
        response = Response(picture, content_type=MEDIA_TYPES[inputs.format])
    current = record()
    response.vary.add("Accept")
    response.headers.update(
        {
            "Server-Timing": ", ".join(
                f"{name};dur={current.stages[name] * 1000:.1f}" for name in Timings.model_fields
            ),
            "X-Stylize-Seed": str(inputs.options.seed),
            "X-Stylize-Backbone": service.engine.model.backbone,
            "X-Stylize-Evaluations": str(result.evaluations),
            "X-Stylize-Stopped": result.stopped,
        }
    )
    return response


def result_of(service: Service, job: Job) -> Result:
    """What a job that has ended came to.

    Raises:
        Problem: it failed.
    """
    current = record()
    current.went_through("queue", job.submitted, job.queued_seconds)
    current.went_through("optimise", job.submitted + job.queued_seconds, job.busy_seconds)
    current.facts |= {"backbone": service.engine.model.backbone, "evaluations": job.evaluations}
    try:
        return job.result()
    except DeadlineError:
        raise Problem(DEADLINE_EXCEEDED) from None
    except OutOfMemoryError:
        raise Problem(OUT_OF_MEMORY, retry_after=service.admission.retry_after()) from None
    except EngineDiedError:
        raise Problem(ENGINE_DIED, retry_after=RESTART_SECONDS) from None
    except JobError:  # logged by the engine, with all there is to know
        raise Problem(INTERNAL) from None


def encoded(service: Service, inputs: Inputs, result: Result) -> bytes:
    """The file of the picture, measured and counted."""
    current = record()
    with stage("encode"):
        picture = deliver(result.image, inputs.format, inputs.quality, inputs.alpha)
    current.facts |= {
        "stopped": result.stopped,
        "size": f"{result.image.shape[-1]}x{result.image.shape[-2]}",
        "answer_bytes": len(picture),
    }
    service.metrics.answer_bytes.observe(len(picture))
    return picture


def report(service: Service, inputs: Inputs, result: Result, picture: bytes) -> StylizeReport:
    """How the picture came about, with its file inside."""
    current = record()
    model = service.engine.model
    losses = result.losses
    used = settings_used(inputs.options, inputs.format, inputs.quality)
    return StylizeReport(
        image=base64.b64encode(picture).decode(),
        media_type=MEDIA_TYPES[inputs.format],
        width=result.image.shape[-1],
        height=result.image.shape[-2],
        request_id=current.request_id,
        seed=inputs.options.seed,
        backbone=BackboneReport(name=model.backbone, note=model.note),
        evaluations=result.evaluations,
        stopped=result.stopped,
        losses=LossReport(
            content=losses.content,
            style=losses.style,
            variation=losses.variation,
            total=losses.total,
            layers=dict(losses.layers),
        ),
        timings=Timings(**{name: current.stages[name] for name in Timings.model_fields}),
        settings={name: value for name, value in used.items() if name in inputs.operation.options},
        regions=[RegionReport(**asdict(region)) for region in inputs.regions],
    )
