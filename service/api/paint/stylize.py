"""POST /stylize, and every request to paint: check the key, admit, read, decode, paint, encode."""

from flask import Blueprint, Response, request
from werkzeug.datastructures import MIMEAccept

from service.api.bearer import require_key
from service.api.context import Service, current_service
from service.api.lifecycle import record, stage
from service.api.paint import answer, events
from service.api.paint import body as submission
from service.api.paint import deadline as timeout
from service.api.paint.answer import Asked, Inputs
from service.api.paint.entity_tag import entity_tag
from service.api.paint.pictures import work_of
from service.api.paint.upload import ClientGoneError, Upload, client_gone, refuse_large_body
from service.engine.admission import Ticket
from service.engine.jobs import Job
from service.engine.watch import Watch
from service.images import MEDIA_TYPES, Format
from service.intake.errors import OptionsError
from service.intake.operations import STYLIZE, Operation
from service.intake.options import STYLE_NAME
from service.problems import (
    NOT_ACCEPTABLE,
    UNSUPPORTED_MEDIA_TYPE,
    FieldError,
    Problem,
)
from service.style.progress import Result

blueprint = Blueprint("stylize", __name__)

# How often a waiting request looks whether its client is still there.
_POLL_SECONDS = 0.02
# Of what a client likes equally well it gets the first.
_OFFERED = (
    MEDIA_TYPES["png"],
    *(MEDIA_TYPES[name] for name in MEDIA_TYPES if name != "png"),
    submission.JSON,
    events.MEDIA_TYPE,
)


@blueprint.post(STYLIZE.path)
def stylize() -> Response:
    """A photograph and artworks in, a picture out."""
    return paint(STYLIZE)


def paint(operation: Operation) -> Response:
    """Answer the current request with the picture that it asks for.

    Args:
        operation: says which pictures and options there are.
    """
    service = current_service()
    record().outcome = "error"  # until it is known better
    require_key()
    media_type = _acceptable()
    _refuse_early(service)
    with service.admission.admit(timeout.requested(service), record().facts.get("key_name")) as ticket:
        asked = _asked(service, operation, media_type, ticket)
        tag = entity_tag(service.engine.model, asked, media_type)
        if tag is not None and tag.known_to(request.if_none_match):
            record().outcome = "not_modified"
            return tag.not_modified()
        watch = Watch() if media_type == events.MEDIA_TYPE else None
        inputs, job = _submit(service, asked, ticket, watch)
        del asked  # and the files that were sent
    if watch is not None:
        return events.respond(service, inputs, job, watch)
    result = _wait(service, job)
    response = answer.respond(service, inputs, result, as_json=media_type == submission.JSON)
    if tag is not None and not result.cut_short:
        tag.put_on(response)
    record().outcome = "ok"
    return response


def _acceptable() -> str:
    """What the client wants to have: the type of a picture, JSON, or events (RFC 9110, section 12.5.1).

    None of them has parameters, and a charset that a client names out of habit is the one that it would get.
    """
    if not request.accept_mimetypes:
        return _OFFERED[0]
    ranges = MIMEAccept((name.partition(";")[0], quality) for name, quality in request.accept_mimetypes)
    wanted = ranges.best_match(_OFFERED)
    if wanted is None:
        raise Problem(NOT_ACCEPTABLE)
    return wanted


def _refuse_early(service: Service) -> None:
    """What the headers tell: neither a place nor an upload is spent on it."""
    if request.mimetype not in (submission.FORM, submission.JSON):
        raise Problem(UNSUPPORTED_MEDIA_TYPE)
    refuse_large_body(request.environ, service.settings.max_upload_bytes)


def _asked(service: Service, operation: Operation, media_type: str, ticket: Ticket) -> Asked:
    settings = service.settings
    upload = Upload(
        request.environ,
        limit=settings.max_upload_bytes,
        stall=settings.upload_stall,
        timeout=min(settings.upload_timeout, ticket.left),
    )
    with stage("read_body"), ticket.receiving(upload):
        body = upload.read()
    service.metrics.body_bytes.observe(len(body))
    record().facts["body_bytes"] = len(body)
    sent = submission.parse(body, request.content_type or "", operation)
    catalogue = service.catalogue.styles
    named = tuple(catalogue[name] for name in sent.style_names if name in catalogue)
    errors = [
        FieldError(STYLE_NAME, service.catalogue.complaint(name))
        for name in sent.style_names
        if name not in catalogue
    ]
    try:
        options = service.bounds.complete(
            sent.options,
            len(sent.styles) + len(sent.style_names),
            content_mask=sent.content_mask is not None,
            style_masks=len(sent.style_masks),
            init_image=sent.init_image is not None,
        )
    except OptionsError as error:
        raise submission.invalid(errors + error.errors) from None
    if errors:
        raise submission.invalid(errors)
    record().facts["seed"] = options.seed
    if sent.style_names:
        record().facts["style_names"] = sent.style_names
    return Asked(sent, named, options, sent.options.format or _format_of(media_type))


def _submit(service: Service, asked: Asked, ticket: Ticket, watch: Watch | None) -> tuple[Inputs, Job]:
    """Hand the pictures over to the engine: whoever waits for the answer has none of them."""
    inputs, work = work_of(service, asked, ticket)
    return inputs, ticket.submit(work, record().request_id, watch)


def _format_of(media_type: str) -> Format:
    formats = {value: key for key, value in MEDIA_TYPES.items()}
    return formats.get(media_type, "png")


def _wait(service: Service, job: Job) -> Result:
    """Until the picture is there, or its client is not."""
    while not timeout.wait(service, job, _POLL_SECONDS):
        if client_gone(request.environ):
            service.engine.queue.cancel(job)
            raise ClientGoneError
    return answer.result_of(service, job)
