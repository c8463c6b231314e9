"""What the routes work with: one service, put together."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask, current_app

from service import images
from service.catalogue import Catalogue
from service.engine import Admission, Engine, Model
from service.images.decoders import Pool, shared_pool
from service.intake import OPERATIONS, Bounds
from service.monitoring import Door, Metrics, Tracing
from service.settings import Keys, Settings

log = logging.getLogger(__name__)

_KEY = "stylize"
# Resizing takes a core too, for seconds where they are many and large; decoding goes on meanwhile.
_PREPARERS = 2


@dataclass(frozen=True)
class Service:
    """The parts, each of which knows only those before it."""

    settings: Settings
    metrics: Metrics
    engine: Engine
    admission: Admission
    keys: Keys | None
    catalogue: Catalogue
    tracing: Tracing = field(default_factory=Tracing)
    door: Door = field(default_factory=Door)
    decoders: Pool = field(default_factory=shared_pool)
    preparing: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_PREPARERS))

    @classmethod
    def build(cls, settings: Settings, load: Callable[[], Model], decoders: Pool | None = None) -> "Service":
        """Put together, with the engine not started yet; with the decoders of this process unless given."""
        metrics = Metrics()
        metrics.expect_requests(operation.path for operation in OPERATIONS)
        decoders = decoders or shared_pool()
        decoders.on_death = lambda cause: metrics.decoder_deaths.labels(cause).inc()
        catalogue = Catalogue(settings.styles_dir, max_pixels=settings.most_pixels, decoders=decoders)

        def load_all() -> Model:
            catalogue.watch()
            model = load()
            images.load_codecs()
            decoders.start()
            catalogue.look()  # being ready is being ready for every name
            return model

        engine = Engine(load_all, metrics, patience=settings.deadline / 2)
        admission = Admission(engine, settings.places, per_owner=settings.max_per_key)
        metrics.queue_capacity.set(settings.queue_size)
        metrics.max_budget.set(settings.max_budget)
        metrics.deadline.set(settings.deadline)
        metrics.in_flight.set_function(lambda: admission.taken)
        keys = _keys(settings)
        metrics.keys_stale.set_function(lambda: keys is not None and keys.stale)
        metrics.expect_keys(keys.names if keys else ())
        return cls(settings, metrics, engine, admission, keys, catalogue, decoders=decoders)

    def stop(self) -> None:
        """Finish what is inside, and end the threads."""
        self.catalogue.stop()
        self.engine.stop()
        self.tracing.stop()

    @property
    def bounds(self) -> Bounds:
        """Of the options, with this model and these settings."""
        model = self.engine.model
        return Bounds.of_device(
            model.device,
            model.layers,
            max_size=self.settings.max_size,
            max_budget=self.settings.max_budget,
            default_budget=self.settings.default_budget,
        )

    def attach(self, app: Flask) -> None:
        """Make `current_service` find this service in the application's requests."""
        app.extensions[_KEY] = self


def _keys(settings: Settings) -> Keys | None:
    if settings.api_keys_file is None:
        log.info("open to everybody: STYLIZE_API_KEYS_FILE is not set")
        return None
    keys = Keys(settings.api_keys_file)
    log.info("open to those with a key: %s", ", ".join(keys.names))
    return keys


def service_of(app: Flask) -> Service:
    """The service behind an application."""
    service: Service = app.extensions[_KEY]
    return service


def current_service() -> Service:
    """The service behind the application that handles this request."""
    return service_of(current_app)
