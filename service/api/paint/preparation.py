"""The pictures of a request that is inside: decoded and resized on its own thread, while somebody waits for them."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial

from flask import request

from service.api.context import Service
from service.api.paint.upload import ClientGoneError, client_gone
from service.api.record import record, stage
from service.engine import DeadlineError, OutOfMemoryError, Ticket
from service.images import Decoded, Labels
from service.intake import Delivery, PaintRequest, prepare
from service.model import system_version
from service.monitoring import Metrics
from service.style import Work

log = logging.getLogger(__name__)

# How often a request that waits for its turn to be prepared looks whether its client is still there.
_POLL_SECONDS = 0.02


def prepared(service: Service, asked: PaintRequest, ticket: Ticket) -> tuple[Delivery, Work]:
    """How to deliver the picture, and what to paint, with its copies at every size.

    Args:
        service: that will paint it.
        asked: complete, with pictures that have not been decoded.
        ticket: of the request; past its deadline nothing is prepared.

    Raises:
        PictureError, OptionsError, TooLargeError: see `service.intake.prepare`.
        OutOfMemoryError: there is no more memory.
        DeadlineError: it is too late.
        ClientGoneError: nobody waits for it.
    """
    look = partial(_look, ticket)
    model, settings = service.engine.model, service.settings
    with stage("decode"), _while_memory_lasts(service):
        with service.decoders.borrow(
            look, max_pixels=settings.most_pixels, heic=settings.heic, name=record().request_id
        ) as decoder:
            delivery, work = prepare(
                asked,
                decoder=decoder,
                catalogue=service.catalogue,
                fits=model,
                system=system_version(model) if settings.provenance else None,
                observe=_Counting(service.metrics),
            )
        while not service.preparing.acquire(timeout=_POLL_SECONDS):
            look()
        try:
            return delivery, model.prepared(work, look)
        finally:
            service.preparing.release()


def _look(ticket: Ticket) -> None:
    """Whether it is still worth preparing."""
    if client_gone(request.environ):
        raise ClientGoneError
    if ticket.left <= 0:
        raise DeadlineError


@contextmanager
def _while_memory_lasts(service: Service) -> Generator[None, None, None]:
    """Memory that has run out becomes the same error as on the engine's thread."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if service.engine.model.fault(error) != "memory":
            raise
        log.error("out of memory: %r", str(error), extra={"request_id": record().request_id})
        service.metrics.out_of_memory.inc()
        raise OutOfMemoryError from None


class _Counting:
    """Puts the pictures of requests into the metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def decoded(self, part: str, picture: Decoded | Labels) -> None:
        """As it came."""
        width, height = picture.size
        self._metrics.input_pixels.labels(part).observe(height * width)
        self._metrics.input_images.labels(picture.format).inc()
        profile = (
            picture.icc if isinstance(picture, Decoded) else "none"
        )  # the colours of labels stay as they are
        self._metrics.input_profiles.labels(profile).inc()

    def working(self, part: str, picture: Decoded) -> None:
        """As it is kept."""
        self._metrics.working_pixels.labels(part).observe(picture.rgb[0].numel())
