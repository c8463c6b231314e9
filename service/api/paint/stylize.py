"""POST /stylize, and every request to paint: admit, receive, parse, complete, prepare, queue, paint, answer."""

from flask import Blueprint, Response, request
from werkzeug.datastructures import MIMEAccept

from service.api.bearer import require_key
from service.api.context import Service, current_service
from service.api.paint import answer, body, deadline, events
from service.api.paint.preparation import prepared
from service.api.paint.upload import ClientGoneError, Upload, client_gone, refuse_large_body
from service.api.record import record, stage
from service.engine import Job, Ticket, Watch
from service.images import MEDIA_TYPES
from service.intake import STYLIZE, Delivery, Operation, OptionsError, PaintRequest, complete
from service.messages import quote
from service.problems import NOT_ACCEPTABLE, UNSUPPORTED_MEDIA_TYPE, FieldError, Problem
from service.style import Result

blueprint = Blueprint("stylize", __name__)

# How often a waiting request looks whether its client is still there.
_POLL_SECONDS = 0.02
# Names that are in use for what is registered as image/jpeg.
_ALIASES = {"image/jpg": MEDIA_TYPES["jpeg"], "image/pjpeg": MEDIA_TYPES["jpeg"]}
_FORMATS = {media_type: name for name, media_type in MEDIA_TYPES.items()}
# Of what a client likes equally well it gets the first.
_OFFERED = (
    MEDIA_TYPES["png"],
    *(MEDIA_TYPES[name] for name in MEDIA_TYPES if name != "png"),
    body.JSON,
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
    key = require_key()
    media_type = _acceptable()
    _refuse_early(service)
    with service.admission.admit(
        deadline.requested(service), owner=key.name if key else None, batch=key is not None and key.batch
    ) as ticket:
        sent = body.parse(_received(service, ticket), request.content_type or "", operation)
        asked = complete(sent, service.bounds, service.catalogue, _FORMATS.get(media_type, "png"))
        record().facts["seed"] = asked.options.seed
        if sent.style_names:
            record().facts["style_names"] = sent.style_names
        watch = Watch() if media_type == events.MEDIA_TYPE else None
        delivery, job = _submitted(service, asked, ticket, watch)
        del sent, asked  # and the files that were sent
    if watch is not None:
        return events.respond(service, delivery, job, watch)
    result = _painted(service, job)
    response = answer.respond(service, delivery, result, as_json=media_type == body.JSON)
    record().outcome = "ok"
    return response


def _acceptable() -> str:
    """What the client wants to have: the type of a picture, JSON, or events (RFC 9110, section 12.5.1).

    None of them has parameters, and a charset that a client names out of habit is the one that it would get.
    """
    if not request.accept_mimetypes:
        return _OFFERED[0]
    named = ((name.partition(";")[0], quality) for name, quality in request.accept_mimetypes)
    ranges = MIMEAccept((_ALIASES.get(name.lower(), name), quality) for name, quality in named)
    wanted = ranges.best_match(_OFFERED)
    if wanted is None:
        raise Problem(NOT_ACCEPTABLE)
    return wanted


def _refuse_early(service: Service) -> None:
    """What the headers tell: neither a place nor an upload is spent on it."""
    if request.mimetype not in (body.FORM, body.JSON):
        raise Problem(UNSUPPORTED_MEDIA_TYPE)
    _refuse_encoded()
    if request.args:
        raise OptionsError([_misplaced(name) for name in request.args])
    refuse_large_body(request.environ, service.settings.max_upload_bytes)


def _refuse_encoded() -> None:
    """A body that has to be decoded first is not read: RFC 9110, 15.5.16."""
    encodings = request.headers.get("Content-Encoding", "")
    if all(name.strip().lower() in ("", "identity") for name in encodings.split(",")):
        return
    message = f"The body comes with Content-Encoding: {encodings[:60]}, which is not decoded here: send it as it is."
    raise Problem(UNSUPPORTED_MEDIA_TYPE, message, headers={"Accept-Encoding": "identity"})


def _misplaced(name: str) -> FieldError:
    """A parameter in the address, where none is read."""
    place = "in the body, as fields of the form or members of the JSON"
    return FieldError(name, f"{quote(name)} is in the query of the address: send options {place}.")


def _received(service: Service, ticket: Ticket) -> bytes:
    """The whole body."""
    settings = service.settings
    upload = Upload(
        request.environ,
        limit=settings.max_upload_bytes,
        stall=settings.upload_stall,
        timeout=min(settings.upload_timeout, ticket.left),
    )
    with stage("read_body"), ticket.receiving(upload):
        data = upload.read()
    service.metrics.body_bytes.observe(len(data))
    record().facts["body_bytes"] = len(data)
    return data


def _submitted(
    service: Service, asked: PaintRequest, ticket: Ticket, watch: Watch | None
) -> tuple[Delivery, Job]:
    """Hand the pictures over to the engine: whoever waits for the answer has none of them."""
    delivery, work = prepared(service, asked, ticket)
    return delivery, ticket.submit(work, record().request_id, watch)


def _painted(service: Service, job: Job) -> Result:
    """Wait until the picture is there, or its client is not."""
    while not deadline.wait(service, job, _POLL_SECONDS):
        if client_gone(request.environ):
            service.engine.queue.cancel(job)
            raise ClientGoneError
    return answer.result_of(service, job)
