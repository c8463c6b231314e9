"""What the service says about itself."""

from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort

from service import __version__
from service.context import current_service
from service.engine import State
from service.errors import PROBLEMS

OPENAPI = Path(__file__).parents[2] / "openapi.yaml"

blueprint = Blueprint("docs", __name__)


@blueprint.get("/")
def index() -> dict[str, object]:
    """Where to go from here."""
    return {
        "service": "stylize",
        "stylize": "POST /stylize: a photograph (content) and artworks (style) in, a picture out",
        "openapi": "/openapi.yaml",
        "version": "/version",
        "ready": "/readyz",
    }


@blueprint.get("/version")
def version() -> dict[str, object]:
    """What runs here, and with which network."""
    engine = current_service().engine
    state = engine.state
    about: dict[str, object] = {"version": __version__, "state": state}
    if state not in (State.LOADING, State.DEAD):
        model = engine.model
        about |= {
            "backbone": {"name": model.backbone, "weights_sha256": model.weights, "note": model.note},
            "device": model.device,
            "torch": model.torch,
        }
    return about


@blueprint.get("/openapi.yaml")
def openapi() -> Response:
    """The description of this interface."""
    return Response(_openapi(), content_type="application/yaml")


@blueprint.get("/problems/<slug>")
def problem(slug: str) -> dict[str, object]:
    """What the `type` of a problem means."""
    kind = PROBLEMS.get(slug)
    if kind is None:
        abort(404)
    return {"type": kind.uri, "title": kind.title, "status": kind.status, "detail": kind.detail}


@cache
def _openapi() -> bytes:
    return OPENAPI.read_bytes()
