"""POST /stylize, and every request to paint: check the key, admit, read, decode, paint, encode."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from flask import Blueprint, Response, request
from werkzeug.datastructures import MIMEAccept

from service.admission import Ticket
from service.catalogue import Style
from service.connection import ClientGoneError, Upload, client_gone, refuse_large_body
from service.context import Service, current_service
from service.contract import STYLE_NAME, OptionsError
from service.errors import (
    INVALID_REQUEST,
    NOT_ACCEPTABLE,
    UNSUPPORTED_IMAGE,
    UNSUPPORTED_MEDIA_TYPE,
    UNUSABLE_IMAGE,
    FieldError,
    Problem,
)
from service.images import MEDIA_TYPES, Decoded, Format, decode
from service.images.errors import ImageError, UnsupportedFormat
from service.images.labels import Labels, read_labels
from service.jobs import Job, Work
from service.masks import Region, match, misfit
from service.messages import sentence
from service.operations import STYLIZE, Operation
from service.routes import answer, events, submission, timeout
from service.routes.answer import Asked, Inputs
from service.routes.bearer import require_key
from service.routes.entity_tag import entity_tag
from service.routes.lifecycle import record, stage
from service.style.options import Options
from service.style.progress import Result
from service.style.regions import Masks
from service.style.resample import kept, reduce
from service.style.transfer import result_size
from service.watch import Watch

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
        inputs, work = _inputs(service, asked)
        watch = Watch() if media_type == events.MEDIA_TYPE else None
        job = ticket.submit(work, record().request_id, watch)
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


def _inputs(service: Service, asked: Asked) -> tuple[Inputs, Work]:
    """The pictures, and what the engine gets of them: everything that need not be made on its thread."""
    sent, options = asked.sent, asked.options
    with stage("decode"), service.decoding:
        size, longest = kept(options.size), _artworks_kept_at(options)
        content = None if sent.content is None else _decode(service, "content", sent.content, size)
        styles = tuple(
            _decode(service, name, data, longest) for name, data in _numbered("style", sent.styles)
        )
        styles += tuple(_artwork(service, style) for style in asked.named)
        if content is None:  # a texture gets its shape from the first artwork, and nothing else
            content = replace(styles[0], alpha=None)
        _fits_network(content, options)
        masks, regions = _masks(service, asked, content, styles)
        start = _start(service, asked, content)
        content = replace(content, rgb=reduce(content.rgb, size))
        styles = tuple(replace(style, rgb=reduce(style.rgb, longest)) for style in styles)
        _fits_memory(service, content, styles, options, len(regions))
        work = Work(
            content.rgb, [style.rgb for style in styles], options, masks, None if start is None else start.rgb
        )
        work = service.engine.model.prepared(work)
    for image, pictures in (("content", (content,)), ("style", styles)):
        for picture in pictures:
            service.metrics.working_pixels.labels(image).observe(picture.rgb[0].numel())
    inputs = Inputs(
        content, styles, options, asked.format, sent.options.quality, sent.operation, masks, regions, start
    )
    return inputs, work


def _numbered(name: str, files: tuple[bytes, ...]) -> list[tuple[str, bytes]]:
    """Files with what to call them: style, or style 1, style 2, ..."""
    if len(files) == 1:
        return [(name, files[0])]
    return [(f"{name} {number}", data) for number, data in enumerate(files, start=1)]


def _masks(
    service: Service, asked: Asked, content: Decoded, styles: tuple[Decoded, ...]
) -> tuple[Masks | None, tuple[Region, ...]]:
    sent, options = asked.sent, asked.options
    if sent.content_mask is None:
        return None, ()
    longest = _artworks_kept_at(options)
    try:
        return match(
            _labels(service, "content_mask", sent.content_mask, kept(options.size)),
            [
                _labels(service, name, data, longest)
                for name, data in _numbered("style_mask", sent.style_masks)
            ],
            photograph=content.size,
            artworks=[style.size for style in styles],
            style_weights=options.style_blend,
        )
    except OptionsError as error:
        raise submission.invalid(error.errors) from None


def _labels(service: Service, name: str, data: bytes, longest: int) -> Labels:
    decoded = _decode(service, name, data, wanted=None, managed=False)
    with _complaining(name):
        return read_labels(decoded, longest)


def _start(service: Service, asked: Asked, content: Decoded) -> Decoded | None:
    if asked.sent.init_image is None:
        return None
    size = kept(asked.options.size)
    start = _decode(service, "init_image", asked.sent.init_image, size)
    if errors := misfit("init_image", start.size, "content", content.size):
        raise submission.invalid(errors)
    return replace(start, rgb=reduce(start.rgb, size))


def _artworks_kept_at(options: Options) -> int:
    """Longest side, in pixels."""
    return options.longest_of_artworks(kept(options.size))


def _artwork(service: Service, style: Style) -> Decoded:
    artwork = service.catalogue.artwork(style)
    if artwork is None:
        message = (
            f"The style {style.name} has just been changed or taken away: GET /styles lists those there are."
        )
        raise submission.invalid([FieldError(STYLE_NAME, message)])
    return artwork


def _format_of(media_type: str) -> Format:
    formats = {value: key for key, value in MEDIA_TYPES.items()}
    return formats.get(media_type, "png")


def _decode(service: Service, name: str, data: bytes, wanted: int | None, *, managed: bool = True) -> Decoded:
    settings = service.settings
    with _complaining(name):
        decoded = decode(
            data, max_pixels=settings.max_pixels, wanted=wanted, heic=settings.heic, managed=managed
        )
    width, height = decoded.size
    service.metrics.input_pixels.labels(name.partition(" ")[0]).observe(height * width)
    service.metrics.input_images.labels(decoded.format).inc()
    service.metrics.input_profiles.labels(decoded.icc).inc()
    return decoded


@contextmanager
def _complaining(name: str) -> Generator[None, None, None]:
    """What is wrong with a picture of this name becomes a problem of the request."""
    try:
        yield
    except ImageError as error:
        kind = UNSUPPORTED_IMAGE if isinstance(error, UnsupportedFormat) else UNUSABLE_IMAGE
        field = name.partition(" ")[0]
        message = f"{name}: {error}."
        raise Problem(kind, message, errors=[FieldError(field, message)]) from None


def _fits_network(content: Decoded, options: Options) -> None:
    width, height = content.size
    try:
        result_size(height, width, options.size)
    except ValueError as error:
        message = sentence(error)
        raise Problem(INVALID_REQUEST, message, errors=[FieldError("size", message)]) from None


def _fits_memory(
    service: Service, content: Decoded, styles: tuple[Decoded, ...], options: Options, regions: int
) -> None:
    photograph, *artworks = ((each.rgb.shape[-2], each.rgb.shape[-1]) for each in (content, *styles))
    try:
        service.engine.model.require_memory(photograph, artworks, options, regions)
    except ValueError as error:
        message = sentence(error)
        raise Problem(INVALID_REQUEST, message, errors=[FieldError("size", message)]) from None


def _wait(service: Service, job: Job) -> Result:
    """Until the picture is there, or its client is not."""
    while not timeout.wait(service, job, _POLL_SECONDS):
        if client_gone(request.environ):
            service.engine.queue.cancel(job)
            raise ClientGoneError
    return answer.result_of(service, job)
