"""Pictures with transparency: what is hidden in their files plays no part."""

import io

import numpy as np
import pytest
import torch
from flask.testing import FlaskClient
from PIL import Image, ImageDraw

from devtools.serving import FakeModel, picture
from tests.api.paint.test_problems import problem
from tests.api.paint.test_stylize import file, form, post


def cut_out(hidden: str) -> bytes:
    """A teal disc, and what its file has where nothing is seen."""
    seen = Image.new("L", (400, 300))
    ImageDraw.Draw(seen).ellipse((100, 50, 300, 250), fill=255)
    image = Image.composite(Image.new("RGB", seen.size, "teal"), Image.new("RGB", seen.size, hidden), seen)
    image.putalpha(seen)
    buffer = io.BytesIO()
    image.save(buffer, "png")
    return buffer.getvalue()


def test_what_is_hidden_in_the_photograph_is_neither_painted_nor_sent_back(
    client: FlaskClient, model: FakeModel
) -> None:
    answers = [
        post(client, form() | {"content": file(cut_out(hidden))}).data for hidden in ("black", "white")
    ]
    assert answers[0] == answers[1]
    black, white = model.painted
    assert torch.equal(black.content, white.content)
    teal = torch.tensor([0, 128, 128])[:, None, None]
    assert (black.content.int() - teal).abs().max() <= 1  # all of it: nothing else is seen
    assert np.asarray(Image.open(io.BytesIO(answers[0])))[0, 0].tolist() == [0, 0, 0, 0]


def test_what_is_transparent_in_an_artwork_and_a_start_lies_on_white(
    client: FlaskClient, model: FakeModel
) -> None:
    parts = form() | {"content": file(picture(400, 300))}
    parts |= {"style": file(cut_out("black")), "init_image": file(cut_out("black"))}
    assert post(client, parts).status_code == 200
    (work,) = model.painted
    assert work.start is not None
    for painted in (work.styles[0], work.start):
        assert painted[:, 0, 0].tolist() == [255, 255, 255]
        assert painted[:, 150, 200].tolist() == [0, 128, 128]


@pytest.mark.parametrize("name", ["content", "style", "init_image"])
def test_a_picture_that_nothing_is_seen_of_is_refused(client: FlaskClient, name: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (40, 30)).save(buffer, "png")
    body = problem(post(client, form() | {name: file(buffer.getvalue())}), 422, "unusable-image")
    assert body["errors"][0]["field"] == name
    assert "all of the picture is transparent" in body["detail"]
