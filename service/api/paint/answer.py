"""The answer to a picture that was asked for: its bytes, or JSON with a report."""

import base64
from dataclasses import asdict

from flask import Response

from service.api.context import Service
from service.api.paint.report import (
    BackboneReport,
    LossReport,
    RegionReport,
    StylizeReport,
    Timings,
    settings_used,
)
from service.api.record import record, stage
from service.engine import Job
from service.images import MEDIA_TYPES, deliver
from service.intake import Delivery
from service.style import Result


def respond(service: Service, delivery: Delivery, result: Result, *, as_json: bool) -> Response:
    """The picture, as bytes or inside a report.

    Args:
        service: for its model and metrics.
        delivery: how it is to be delivered.
        result: what was painted.
        as_json: whether the client wants the report.
    """
    picture = encoded(service, delivery, result)
    if as_json:
        text = report(service, delivery, result, picture).model_dump_json()
        response = Response(text, content_type="application/json")
    else:
        response = Response(picture, content_type=MEDIA_TYPES[delivery.format])
    current = record()
    response.vary.add("Accept")
    response.headers.update(
        {
            "Server-Timing": ", ".join(
                f"{name};dur={current.stages[name] * 1000:.1f}" for name in Timings.model_fields
            ),
            "X-Stylize-Seed": str(delivery.options.seed),
            "X-Stylize-Backbone": service.engine.model.backbone,
            "X-Stylize-Evaluations": str(result.evaluations),
            "X-Stylize-Stopped": result.stopped,
        }
    )
    return response


def result_of(service: Service, job: Job) -> Result:
    """What a job that has ended came to.

    Raises:
        JobError, DeadlineError: it failed.
    """
    current = record()
    current.went_through("queue", job.submitted, job.queued_seconds)
    current.went_through("optimise", job.submitted + job.queued_seconds, job.busy_seconds)
    current.facts |= {"backbone": service.engine.model.backbone, "evaluations": job.evaluations}
    return job.result()


def encoded(service: Service, delivery: Delivery, result: Result) -> bytes:
    """The file of the picture, measured and counted."""
    current = record()
    with stage("encode"):
        picture = deliver(result.image, delivery.format, delivery.quality, delivery.alpha, delivery.metadata)
    current.facts |= {
        "stopped": result.stopped,
        "size": f"{result.image.shape[-1]}x{result.image.shape[-2]}",
        "answer_bytes": len(picture),
    }
    service.metrics.answer_bytes.observe(len(picture))
    return picture


def report(service: Service, delivery: Delivery, result: Result, picture: bytes) -> StylizeReport:
    """How the picture came about, with its file inside."""
    current = record()
    model = service.engine.model
    losses = result.losses
    used = settings_used(
        delivery.options, delivery.format, delivery.quality, delivery.metadata.dpi, delivery.kept
    )
    return StylizeReport(
        image=base64.b64encode(picture).decode(),
        media_type=MEDIA_TYPES[delivery.format],
        width=result.image.shape[-1],
        height=result.image.shape[-2],
        request_id=current.request_id,
        seed=delivery.options.seed,
        backbone=BackboneReport(name=model.backbone, note=model.note),
        evaluations=result.evaluations,
        stopped=result.stopped,
        losses=LossReport(
            content=losses.content,
            style=losses.style,
            variation=losses.variation,
            anchor=losses.anchor,
            total=losses.total,
            layers=dict(losses.layers),
        ),
        timings=Timings(**{name: current.stages[name] for name in Timings.model_fields}),
        settings={name: value for name, value in used.items() if name in delivery.operation.options},
        regions=[RegionReport(**asdict(region)) for region in delivery.regions],
    )
