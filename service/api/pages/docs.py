"""What the service says about itself."""

from pathlib import Path

from flask import Blueprint, Response, abort

from service import __version__
from service.api.context import current_service
from service.api.pages.files import file_answer
from service.engine import State
from service.intake import MAX_STYLES
from service.problems import PROBLEMS

OPENAPI = Path(__file__).parents[3] / "openapi.yaml"
PAGE = Path(__file__).parents[1] / "static" / "docs"
# Nothing from elsewhere, no script inside the page, and nobody's frame around it. Swagger UI sets styles inline.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "docs.css": "text/css; charset=utf-8",
}
# What people choose from: the page offers these.
_SIZES = (128, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096)

blueprint = Blueprint("docs", __name__)


@blueprint.get("/version")
def version() -> dict[str, object]:
    """What runs here, and with which network."""
    service = current_service()
    engine = service.engine
    state = engine.state
    about: dict[str, object] = {"version": __version__, "state": state}
    if state not in (State.LOADING, State.DEAD):
        model, bounds, settings = engine.model, service.bounds, service.settings
        about |= {
            "backbone": {"name": model.backbone, "weights_sha256": model.weights, "note": model.note},
            "device": model.device,
            "torch": model.torch,
            "largest_size": model.largest_size,
            "limits": {
                "default_size": bounds.default_size,
                "max_size": bounds.max_size,
                "default_budget": bounds.default_budget,
                "max_budget": bounds.max_budget,
                "max_styles": MAX_STYLES,
                "max_upload_bytes": settings.max_upload_bytes,
                "max_pixels": settings.most_pixels,
            },
            "sizes": [
                {"size": size, "seconds": round(seconds, 1)}
                for size in _SIZES
                if size <= min(bounds.max_size, model.largest_size or 0)
                and (seconds := model.expected_seconds(size)) is not None
            ],
        }
    return about


@blueprint.get("/openapi.yaml")
def openapi() -> Response:
    """The description of this interface."""
    return file_answer(OPENAPI, "application/yaml")


@blueprint.get("/docs")
def docs() -> Response:
    """The same for people: a page that shows it, from this service alone."""
    return file_answer(PAGE / "index.html", "text/html; charset=utf-8", PAGE_POLICY)


@blueprint.get("/docs/<file>")
def docs_file(file: str) -> Response:
    """What the page needs."""
    if file not in _FILES:
        abort(404)
    return file_answer(PAGE / file, _FILES[file])


@blueprint.get("/problems/<slug>")
def problem(slug: str) -> dict[str, object]:
    """What the `type` of a problem means."""
    kind = PROBLEMS.get(slug)
    if kind is None:
        abort(404)
    return {"type": kind.uri, "title": kind.title, "status": kind.status, "detail": kind.detail}
