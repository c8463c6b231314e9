"""GET /styles: the catalogue of artworks that can be asked for by name."""

import hashlib

from flask import Blueprint, Response, request
from pydantic import BaseModel

from service.api.context import current_service
from service.api.paint.report import StyleList, StyleReport
from service.catalogue import Catalogue, Style
from service.problems import NOT_FOUND, NOT_READY, Problem

blueprint = Blueprint("styles", __name__)

# A thumbnail that has changed is seen this much later; lists and records are asked for anew each time.
_THUMBNAIL_SECONDS = 300
_LOADING_SECONDS = 2  # until it is worth asking again for a catalogue that is being read


@blueprint.get("/styles")
def styles() -> Response:
    """All of them, in the order of their names."""
    return _json(StyleList(styles=[_report(style) for style in _catalogue().styles.values()]))


@blueprint.get("/styles/<name>")
def style(name: str) -> Response:
    """One of them."""
    return _json(_report(_find(name)))


@blueprint.get("/styles/<name>/thumbnail")
def thumbnail(name: str) -> Response:
    """A small JPEG of it."""
    preview = _find(name).preview
    response = Response(preview.thumbnail, content_type="image/jpeg")
    return _cached(response, preview.etag, f"public, max-age={_THUMBNAIL_SECONDS}")


def _catalogue() -> Catalogue:
    """The catalogue once its folder has been read: until then nobody knows what is not in it."""
    catalogue = current_service().catalogue
    if not catalogue.loaded:
        detail = f"The catalogue is still being read: try again in {_LOADING_SECONDS} seconds."
        raise Problem(NOT_READY, detail, retry_after=_LOADING_SECONDS)
    return catalogue


def _find(name: str) -> Style:
    catalogue = _catalogue()
    found = catalogue.styles.get(name)
    if found is None:
        raise Problem(NOT_FOUND, catalogue.complaint(name))
    return found


def _report(style: Style) -> StyleReport:
    return StyleReport(
        **style.credits.model_dump() | {"title": style.title},
        name=style.name,
        width=style.preview.width,
        height=style.preview.height,
        thumbnail=f"/styles/{style.name}/thumbnail",
    )


def _json(model: BaseModel) -> Response:
    body = model.model_dump_json(exclude_none=True)
    response = Response(body, content_type="application/json")
    return _cached(response, hashlib.sha256(body.encode()).hexdigest()[:32], "no-cache")


def _cached(response: Response, etag: str, control: str) -> Response:
    """With validators; without its body where the client has it already."""
    response.headers["Cache-Control"] = control
    response.set_etag(etag)
    response.make_conditional(request)
    return response
