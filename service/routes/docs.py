"""What the service says about itself."""

from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, request

from service import __version__
from service.context import current_service
from service.engine import State
from service.errors import PROBLEMS

OPENAPI = Path(__file__).parents[2] / "openapi.yaml"
PAGE = Path(__file__).parents[1] / "web" / "docs"
# Nothing from elsewhere, no script inside the page, and nobody's frame around it. The viewer sets styles inline.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SCRIPTS = ("openapi-explorer.js",)

blueprint = Blueprint("docs", __name__)


@blueprint.get("/")
def index() -> dict[str, object]:
    """Where to go from here."""
    return {
        "service": "stylize",
        "stylize": "POST /stylize: a photograph (content) and artworks (style) in, a picture out",
        "styles": "/styles",
        "docs": "/docs",
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
    return _file(OPENAPI, "application/yaml")


@blueprint.get("/docs")
def docs() -> Response:
    """The same for people: a page that shows it, from this service alone."""
    response = _file(PAGE / "index.html", "text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response


@blueprint.get("/docs/<file>")
def docs_file(file: str) -> Response:
    """What the page needs."""
    if file not in _SCRIPTS:
        abort(404)
    return _file(PAGE / file, "text/javascript; charset=utf-8")


@blueprint.get("/problems/<slug>")
def problem(slug: str) -> dict[str, object]:
    """What the `type` of a problem means."""
    kind = PROBLEMS.get(slug)
    if kind is None:
        abort(404)
    return {"type": kind.uri, "title": kind.title, "status": kind.status, "detail": kind.detail}


def _file(path: Path, content_type: str) -> Response:
    """A file that a client may keep, if it asks each time whether it is still the same."""
    response = Response(_bytes(path), content_type=content_type)
    response.add_etag()
    response.headers["Cache-Control"] = "no-cache"
    return response.make_conditional(request)  # type: ignore[return-value]  # it returns itself


@cache
def _bytes(path: Path) -> bytes:
    return path.read_bytes()
