"""Pictures that are to wrap around, as they are sent."""

import io

from flask.testing import FlaskClient
from PIL import Image

from devtools.serving import FakeModel
from tests.api.paint.test_anchors import halves, png
from tests.api.paint.test_masks import files
from tests.api.paint.test_stylize import form, post


def slope(mode: str = "RGB") -> bytes:
    """From black on the left to white on the right."""
    return png(Image.linear_gradient("L").rotate(90).resize((40, 30)).convert(mode))


def test_what_is_painted_is_closed_where_it_wraps_and_nowhere_else(
    client: FlaskClient, model: FakeModel
) -> None:
    for tile in ("none", "x", "y"):
        parts = files(content=slope(), init_image=slope(), anchor_image=slope(), strength_mask=slope("L"))
        assert post(client, form(tile=tile) | parts).status_code == 200
    plain, across, down = model.painted
    assert across.start is not None
    assert across.anchor is not None
    for drawing in (across.content, across.start, across.anchor.picture):
        left, right = halves(drawing)
        assert abs(left - right) < 50
    # How strongly each part is painted is the client's business, and so is an edge there.
    assert across.strength is not None
    assert plain.strength is not None
    assert halves(across.strength) == halves(plain.strength)
    assert down.content.equal(plain.content)
    left, right = halves(plain.content)
    assert right - left > 240


def test_a_photograph_that_is_a_ring_is_painted_as_it_came(client: FlaskClient, model: FakeModel) -> None:
    ring = Image.open(io.BytesIO(slope()))
    double = Image.new("RGB", (80, 30))
    double.paste(ring, (0, 0))
    double.paste(ring.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (40, 0))
    for tile in ("none", "x"):
        assert post(client, form(tile=tile) | files(content=png(double))).status_code == 200
    plain, across = model.painted
    assert across.content.equal(plain.content)
