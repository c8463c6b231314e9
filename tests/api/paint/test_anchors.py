"""Pictures that say how much: what the result is held to, and how strongly each part is painted, as they are sent."""

import io
from typing import Any

import pytest
import torch
from flask.testing import FlaskClient
from PIL import Image

from devtools.serving import FakeModel, picture
from service.intake.contract import ANCHOR_WEIGHT
from tests.api.paint.test_masks import files, refused
from tests.api.paint.test_stylize import b64, form, post, post_json


def grey(left: int, right: int, width: int = 40, height: int = 30) -> bytes:
    """A picture of two flat halves."""
    image = Image.new("L", (width, height), right)
    image.paste(left, (0, 0, width // 2, height))
    return png(image)


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "png")
    return buffer.getvalue()


def halves(plane: torch.Tensor) -> list[int]:
    """The levels of the left and the right edge."""
    return [int(plane[..., 0].float().mean()), int(plane[..., -1].float().mean())]


def test_an_anchor_is_held_everywhere_with_the_usual_weight(client: FlaskClient, model: FakeModel) -> None:
    answer = post(client, form() | files(anchor_image=picture(color="navy")), accept="application/json")
    (work,) = model.painted
    assert work.anchor is not None
    assert work.anchor.picture[:, 3, 3].tolist() == [0, 0, 128]
    assert (work.anchor.held == 255).all()
    assert work.options.anchor_weight == ANCHOR_WEIGHT
    assert answer.get_json()["settings"]["anchor_weight"] == ANCHOR_WEIGHT


def test_the_mask_says_how_firmly_each_part_is_held(client: FlaskClient, model: FakeModel) -> None:
    parts = form(anchor_weight=2) | files(anchor_image=picture(), anchor_mask=grey(255, 51))
    assert post(client, parts).status_code == 200
    (work,) = model.painted
    assert work.anchor is not None
    assert (work.options.anchor_weight, halves(work.anchor.held)) == (2, [255, 51])


def test_what_is_transparent_in_the_anchor_or_its_mask_is_not_held(
    client: FlaskClient, model: FakeModel
) -> None:
    image = Image.open(io.BytesIO(picture(color="navy"))).convert("RGBA")
    image.paste((255, 0, 0, 0), (0, 0, 20, 30))
    mask = Image.new("LA", (40, 30), (255, 255))
    mask.paste((255, 0), (0, 0, 20, 30))
    for parts in (
        files(anchor_image=png(image)),
        files(anchor_image=picture(color="navy"), anchor_mask=png(mask)),
    ):
        assert post(client, form() | parts).status_code == 200
        anchor = model.painted[-1].anchor
        assert anchor is not None
        assert halves(anchor.held) == [0, 255]
        assert anchor.picture[:, 3, 3].tolist() == [0, 0, 128], "what is held near it"


def test_a_mask_may_have_another_size_and_soft_edges(client: FlaskClient, model: FakeModel) -> None:
    parts = form() | files(anchor_image=picture(80, 60), anchor_mask=grey(255, 0, 40, 30))
    assert post(client, parts).status_code == 200
    anchor = model.painted[0].anchor
    assert anchor is not None
    assert anchor.held.shape == (1, 60, 80)
    assert sorted(set(anchor.held[0, 9].tolist())) == [0, 64, 191, 255]


def test_a_weight_of_0_is_as_without_an_anchor(client: FlaskClient, model: FakeModel) -> None:
    assert post(client, form(anchor_weight=0) | files(anchor_image=picture())).status_code == 200
    assert model.painted[0].anchor is None
    assert model.painted[0].options.anchor_weight == 0


def test_a_mask_of_strengths_reaches_the_optimiser(client: FlaskClient, model: FakeModel) -> None:
    assert post(client, form() | files(strength_mask=grey(0, 200))).status_code == 200
    (work,) = model.painted
    assert work.strength is not None
    assert halves(work.strength) == [0, 200]
    assert work.options.local_strength


def test_what_is_transparent_in_a_mask_of_strengths_has_the_requests(
    client: FlaskClient, model: FakeModel
) -> None:
    mask = Image.new("LA", (40, 30), (0, 255))
    mask.paste((0, 0), (0, 0, 20, 30))
    assert post(client, form() | files(strength_mask=png(mask))).status_code == 200
    assert model.painted[0].strength is not None
    assert halves(model.painted[0].strength) == [255, 0]


def test_colours_count_by_the_mean_of_their_channels(client: FlaskClient, model: FakeModel) -> None:
    assert post(client, form() | files(strength_mask=picture(color="blue"))).status_code == 200
    assert model.painted[0].strength is not None
    assert halves(model.painted[0].strength) == [85, 85]


def test_they_come_as_json_too(client: FlaskClient, model: FakeModel) -> None:
    answer = post_json(
        client,
        anchor_image=b64(picture()),
        anchor_mask=b64(grey(9, 9)),
        anchor_weight=0.5,
        strength_mask=b64(grey(7, 7)),
    )
    assert answer.status_code == 200
    (work,) = model.painted
    assert work.anchor is not None
    assert work.strength is not None
    assert (halves(work.anchor.held), halves(work.strength)) == ([9, 9], [7, 7])


def test_large_ones_are_reduced_before_they_wait(client: FlaskClient, model: FakeModel) -> None:
    parts = form(size=64) | files(
        anchor_image=picture(800, 600),
        anchor_mask=grey(255, 0, 1200, 900),
        strength_mask=grey(255, 0, 800, 600),
    )
    assert post(client, parts).status_code == 200
    (work,) = model.painted
    assert work.anchor is not None
    assert work.strength is not None
    for plane in (work.anchor.picture, work.anchor.held, work.strength):
        assert plane.shape[1:] == (384, 512)
        assert plane.dtype == torch.uint8


def test_without_them_nothing_is_held(client: FlaskClient, model: FakeModel) -> None:
    report = post(client, accept="application/json").get_json()
    (work,) = model.painted
    assert (work.anchor, work.strength) == (None, None)
    assert "anchor_weight" not in report["settings"]


@pytest.mark.parametrize(
    ("options", "pictures", "fields", "sentence"),
    [
        ({}, {"anchor_mask": grey(0, 1)}, ["anchor_mask"], "anchor_mask goes with anchor_image"),
        ({"anchor_weight": 1}, {}, ["anchor_weight"], "which is missing: send both, or neither."),
        (
            {"content_weight": 0},
            {"strength_mask": grey(0, 1)},
            ["strength_mask"],
            "give a content_weight above 0, or leave strength_mask out.",
        ),
        ({"anchor_weight": -1}, {"anchor_image": picture()}, ["anchor_weight"], "give a number from 0 to"),
        (
            {},
            {"strength_mask": [grey(0, 1), grey(0, 1)]},
            ["strength_mask"],
            "strength_mask was sent 2 times: send one grey picture of the strength.",
        ),
        *(
            ({}, {"anchor_image": picture()} | {name: picture(30, 40)}, [name], "the same aspect ratio")
            for name in ("anchor_image", "anchor_mask", "strength_mask")
        ),
    ],
)
def test_what_does_not_go_together_is_said_in_a_sentence(
    client: FlaskClient,
    model: FakeModel,
    options: dict[str, object],
    pictures: dict[str, Any],
    fields: list[str],
    sentence: str,
) -> None:
    found, detail = refused(post(client, form(**options) | files(**pictures)))
    assert (found, model.painted) == (fields, [])
    assert sentence in detail
