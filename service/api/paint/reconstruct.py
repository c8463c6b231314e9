"""POST /reconstruct/content and /reconstruct/style: the paper's Figure 1, by the way that /stylize goes."""

from flask import Blueprint, Response

from service.api.paint.stylize import paint
from service.intake import RECONSTRUCT_CONTENT, RECONSTRUCT_STYLE

blueprint = Blueprint("reconstruct", __name__)


@blueprint.post(RECONSTRUCT_CONTENT.path)
def content() -> Response:
    """A photograph in, what some layers keep of it out."""
    return paint(RECONSTRUCT_CONTENT)


@blueprint.post(RECONSTRUCT_STYLE.path)
def style() -> Response:
    """Artworks in, a texture out."""
    return paint(RECONSTRUCT_STYLE)
