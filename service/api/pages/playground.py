"""GET /: for browsers the playground, a page to paint with; for programs the addresses that there are."""

from pathlib import Path

from flask import Blueprint, Response, abort, jsonify, request

from service.api.context import current_service
from service.api.pages.files import file_answer

PAGE = Path(__file__).parents[1] / "static" / "playground"
# Nothing from elsewhere, nothing inline, and nobody's frame around it. blob: and data: are the pictures that the
# visitor has chosen and that the service has sent.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
}
_FILES = {path.name: path for path in PAGE.iterdir() if path.suffix in _TYPES}
# Of what a client likes equally well it gets the first, so curl and other programs get JSON.
_OFFERED = ("application/json", "text/html")

blueprint = Blueprint("playground", __name__)


@blueprint.get("/")
def index() -> Response:
    """The page for those who would rather have HTML, and where there is one; else where to go from here."""
    if not current_service().settings.playground:
        return _pointers()
    wants_page = request.accept_mimetypes.best_match(_OFFERED) == "text/html"
    response = (
        file_answer(PAGE / "index.html", "text/html; charset=utf-8", PAGE_POLICY)
        if wants_page
        else _pointers()
    )
    response.vary.add("Accept")
    return response


@blueprint.get("/playground/<file>")
def playground_file(file: str) -> Response:
    """What the page needs."""
    path = _FILES.get(file)
    if path is None or not current_service().settings.playground:
        abort(404)
    return file_answer(path, _TYPES[path.suffix])


def _pointers() -> Response:
    return jsonify(
        {
            "service": "stylize",
            "stylize": "POST /stylize: a photograph (content) and artworks (style) in, a picture out",
            "reconstruct_content": "POST /reconstruct/content: a photograph in, what some layers keep of it out",
            "reconstruct_style": "POST /reconstruct/style: artworks (style) in, a texture out",
            "styles": "/styles",
            "docs": "/docs",
            "openapi": "/openapi.yaml",
            "version": "/version",
            "ready": "/readyz",
        }
    )
