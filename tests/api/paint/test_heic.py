"""POST /stylize with a picture of an iPhone."""

import io
from collections.abc import Generator

import pillow_heif
import pytest
from flask.testing import FlaskClient
from PIL import Image

from devtools.serving import FakeModel, picture, started
from service.api.context import service_of


@pytest.fixture(params=[False, True], ids=["off", "on"])
def heic(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def client(heic: bool) -> Generator[FlaskClient, None, None]:
    app = started(FakeModel(), heic=heic)
    yield app.test_client()
    service_of(app).engine.stop()


def test_heic_is_painted_where_it_is_on_and_a_clear_problem_where_it_is_off(
    client: FlaskClient, heic: bool
) -> None:
    out = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (40, 30), "teal")).save(out)
    photo = (io.BytesIO(out.getvalue()), "IMG_0001.HEIC")
    answer = client.post("/stylize", data={"content": photo, "style": (io.BytesIO(picture()), "art.png")})
    if heic:
        assert (answer.status_code, answer.content_type) == (200, "image/png")
    else:
        assert answer.status_code == 415
        assert answer.json is not None
        assert answer.json["type"] == "/problems/unsupported-image"
        assert answer.json["detail"] == "content: the file is HEIC: send JPEG, PNG, WebP, AVIF or TIFF."
