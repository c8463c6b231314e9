"""The two faces of the service: the public application and the administrative one."""

from collections.abc import Callable

from flask import Blueprint, Flask

from service.api import cors, health, lifecycle, styles
from service.api.context import Service
from service.api.methods import Application
from service.api.pages import docs, playground
from service.api.paint import reconstruct, stylize
from service.engine import Model
from service.images.decoders import Pool
from service.model import load_model
from service.settings import Settings, load_settings


def create_app(
    settings: Settings | None = None,
    load: Callable[[], Model] | None = None,
    decoders: Pool | None = None,
) -> Flask:
    """The public application. Whoever serves it starts the engine: `service_of(app).engine.start()`.

    Args:
        settings: of the environment, unless given.
        load: makes the model; the real one, unless given.
        decoders: that pictures are decoded by; those of this process, unless given.
    """
    settings = settings or load_settings()
    service = Service.build(settings, load or (lambda: load_model(settings)), decoders)
    app = _flask(
        service,
        stylize.blueprint,
        reconstruct.blueprint,
        styles.blueprint,
        health.public,
        docs.blueprint,
        playground.blueprint,
    )
    cors.register(app, settings.cors_origins)
    return app


def create_admin_app(service: Service) -> Flask:
    """Metrics and probes, for the administrative port."""
    return _flask(service, health.public, health.admin)


def _flask(service: Service, *blueprints: Blueprint) -> Flask:
    app = Application("service", static_folder=None, template_folder=None)
    app.url_map.merge_slashes = False  # no redirects: a POST does not survive them
    service.attach(app)
    lifecycle.register(app)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    return app
