"""From the files of a request to what the engine gets of them: all that need not be made on its thread."""

import logging
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from flask import request
from torch import Tensor

from service.api.context import Service
from service.api.lifecycle import record, stage
from service.api.paint import body as submission
from service.api.paint.answer import Asked, Inputs
from service.api.paint.upload import ClientGoneError, client_gone
from service.catalogue import Style
from service.engine.admission import Ticket
from service.images import Decoded, decode
from service.images.delivery import resized
from service.images.errors import ImageError, UnsupportedFormat
from service.images.labels import Labels, read_labels
from service.intake.errors import OptionsError
from service.intake.masks import Region, match, misfit
from service.intake.options import STYLE_NAME
from service.messages import sentence
from service.problems import (
    DEADLINE_EXCEEDED,
    INVALID_REQUEST,
    OUT_OF_MEMORY,
    UNSUPPORTED_IMAGE,
    UNUSABLE_IMAGE,
    FieldError,
    Problem,
)
from service.style.options import Options
from service.style.regions import Masks
from service.style.resample import kept, reduce
from service.style.transfer import result_size
from service.style.work import Size, Work

log = logging.getLogger(__name__)

# How often a request that waits for its turn to be prepared looks whether its client is still there.
_POLL_SECONDS = 0.02


def work_of(service: Service, asked: Asked, ticket: Ticket) -> tuple[Inputs, Work]:
    """What to paint, and what the answer needs to know about it.

    Args:
        service: that will paint it.
        asked: with pictures that have not been decoded.
        ticket: of the request; past its deadline nothing is prepared.

    Raises:
        Problem: a picture is unusable, too large for the memory, or there is no more of that; or it is too late.
        ClientGoneError: nobody waits for it.
    """
    with stage("decode"), _while_memory_lasts(service):
        with service.decoding:
            inputs, work = _decoded(service, asked)
        return inputs, _prepared(service, work, ticket)


@contextmanager
def _while_memory_lasts(service: Service) -> Generator[None, None, None]:
    """Memory that has run out becomes the same problem as on the engine's thread."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if service.engine.model.fault(error) != "memory":
            raise
        log.error("out of memory: %r", str(error), extra={"request_id": record().request_id})
        service.metrics.out_of_memory.inc()
        raise Problem(OUT_OF_MEMORY, retry_after=service.admission.retry_after()) from None


def _prepared(service: Service, work: Work, ticket: Ticket) -> Work:
    """With its copies, while somebody waits for them."""

    def look() -> None:
        if client_gone(request.environ):
            raise ClientGoneError
        if ticket.left <= 0:
            raise Problem(DEADLINE_EXCEEDED)

    while not service.preparing.acquire(timeout=_POLL_SECONDS):
        look()
    try:
        return service.engine.model.prepared(work, look)
    finally:
        service.preparing.release()


def _decoded(service: Service, asked: Asked) -> tuple[Inputs, Work]:
    sent, options, model = asked.sent, asked.options, service.engine.model
    size, longest = kept(options.size), _artworks_kept_at(options)
    content = None
    if sent.content is not None:
        content = _reduced(_decode(service, "content", sent.content, size), size)
    styles: list[Decoded] = []
    for style in _artworks(service, asked, longest):
        if content is None:  # a texture gets its shape from the first artwork, and nothing else
            content = _reduced(style, size)
        styles.append(_reduced(style, longest))
        with _fitting():  # before there are more
            model.require_room(*_sizes(content, styles), options)
    assert content is not None, "an operation takes a photograph or artworks"
    width, height = content.size
    with _fitting():
        result_size(height, width, options.size)
    masks, regions = _masks(service, asked, content, styles)
    start = _start(service, asked, content)
    with _fitting():
        model.require_room(*_sizes(content, styles), options, len(regions))
        model.require_memory(*_sizes(content, styles), options, len(regions))
    for image, pictures in (("content", [content]), ("style", styles)):
        for picture in pictures:
            service.metrics.working_pixels.labels(image).observe(picture.rgb[0].numel())
    inputs = Inputs(options, asked.format, sent.options.quality, content.alpha, sent.operation, regions)
    return inputs, Work(content.rgb, [style.rgb for style in styles], options, masks, start)


def _artworks(service: Service, asked: Asked, longest: int) -> Generator[Decoded, None, None]:
    """One after the other, so that they are not all there as large as they came. Their alpha does not count."""
    for name, data in _numbered("style", asked.sent.styles):
        yield replace(_decode(service, name, data, longest), alpha=None)
    for style in asked.named:
        yield replace(_artwork(service, style), alpha=None)


def _reduced(picture: Decoded, longest: int) -> Decoded:
    """A picture that is no larger than it has to be."""
    rgb, alpha = reduce(picture.rgb, longest), picture.alpha
    if alpha is not None and rgb is not picture.rgb:
        alpha = resized(alpha, rgb.shape[-2], rgb.shape[-1])
    return replace(picture, rgb=rgb, alpha=alpha)


def _numbered(name: str, files: tuple[bytes, ...]) -> list[tuple[str, bytes]]:
    """Files with what to call them: style, or style 1, style 2, ..."""
    if len(files) == 1:
        return [(name, files[0])]
    return [(f"{name} {number}", data) for number, data in enumerate(files, start=1)]


def _masks(
    service: Service, asked: Asked, content: Decoded, styles: Sequence[Decoded]
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


def _start(service: Service, asked: Asked, content: Decoded) -> Tensor | None:
    if asked.sent.init_image is None:
        return None
    size = kept(asked.options.size)
    start = _decode(service, "init_image", asked.sent.init_image, size)
    if errors := misfit("init_image", start.size, "content", content.size):
        raise submission.invalid(errors)
    return reduce(start.rgb, size)


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


def _sizes(content: Decoded, styles: Sequence[Decoded]) -> tuple[Size, list[Size]]:
    """(height, width) of the photograph, and of each artwork, as they are now."""
    photograph, *artworks = ((each.rgb.shape[-2], each.rgb.shape[-1]) for each in (content, *styles))
    return photograph, artworks


@contextmanager
def _fitting() -> Generator[None, None, None]:
    """What does not fit into the network or the memory becomes a problem of the size that was asked for."""
    try:
        yield
    except ValueError as error:
        message = sentence(error)
        raise Problem(INVALID_REQUEST, message, errors=[FieldError("size", message)]) from None
