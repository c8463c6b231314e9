"""Masks and the picture to start from, as they are sent."""

import io
from typing import Any

import pytest
import torch
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from devtools.serving import FakeModel, picture
from service.api.context import Service
from tests.api.paint.test_stylize import b64, file, form, post, post_json, value


def mask(left: str = "red", right: str = "blue", width: int = 40, height: int = 30) -> bytes:
    """A label image of two halves."""
    image = Image.new("RGB", (width, height), right)
    image.paste(left, (0, 0, width // 2, height))
    buffer = io.BytesIO()
    image.save(buffer, "png")
    return buffer.getvalue()


def files(**parts: bytes | list[bytes]) -> dict[str, Any]:
    return {
        name: [file(data) for data in given] if isinstance(given, list) else file(given)
        for name, given in parts.items()
    }


def refused(answer: TestResponse) -> tuple[list[str], str]:
    assert answer.status_code == 422
    body = answer.get_json()
    return [error["field"] for error in body["errors"]], body["detail"]


def test_masks_reach_the_optimiser_and_the_report_names_their_regions(
    client: FlaskClient, model: FakeModel
) -> None:
    parts = form() | files(
        style=[picture(color="red"), picture(color="blue")],
        content_mask=mask("red", "lime"),
        style_mask=[mask("red", "black"), mask("red", "lime")],
    )
    answer = post(client, parts, accept="application/json")
    assert answer.status_code == 200
    masks = model.painted[0].masks
    assert masks is not None
    assert masks.picture[0].tolist() == [2] * 20 + [1] * 20
    assert masks.artworks is not None
    assert [artwork[0].tolist() for artwork in masks.artworks] == [[2] * 20 + [0] * 20, [2] * 20 + [1] * 20]
    assert answer.get_json()["regions"] == [
        {"label": "#00ff00", "share": 0.5, "styles": [2]},
        {"label": "#ff0000", "share": 0.5, "styles": [1, 2]},
    ]


def test_without_masks_there_are_no_regions(client: FlaskClient, model: FakeModel) -> None:
    assert post(client, accept="application/json").get_json()["regions"] == []
    assert model.painted[0].masks is None
    assert model.painted[0].start is None


def test_a_content_mask_alone_confines_all_artworks(client: FlaskClient, model: FakeModel) -> None:
    assert post(client, form() | files(content_mask=mask("white", "black"))).status_code == 200
    masks = model.painted[0].masks
    assert masks is not None
    assert masks.artworks is None
    assert masks.picture[0].tolist() == [1] * 20 + [0] * 20


def test_a_picture_to_start_from_reaches_the_optimiser_no_larger_than_needed(
    client: FlaskClient, model: FakeModel
) -> None:
    parts = form(size=64) | files(init_image=picture(800, 600, "navy"))
    answer = post(client, parts, accept="application/json")
    assert answer.get_json()["settings"]["init"] == "image"
    start = model.painted[0].start
    assert start is not None
    assert start.shape == (3, 384, 512)
    assert start[:, 0, 0].tolist() == [0, 0, 128]


def test_json_takes_them_as_base64(client: FlaskClient, model: FakeModel) -> None:
    answer = post_json(
        client,
        style=[b64(picture()), b64(picture())],
        content_mask=b64(mask()),
        style_mask=[b64(mask()), b64(mask("blue", "black"))],
        init_image="data:image/png;base64," + b64(picture()),
    )
    assert answer.status_code == 200
    work = model.painted[0]
    assert work.masks is not None
    assert work.masks.artworks is not None
    assert len(work.masks.artworks) == 2
    assert work.start is not None
    assert post_json(client, content_mask=b64(mask()), style_mask=b64(mask())).status_code == 200


def test_large_masks_are_reduced_before_they_wait(client: FlaskClient, model: FakeModel) -> None:
    parts = form(size=64, style_scale=0.5) | files(
        content_mask=mask(width=800, height=600), style_mask=mask(width=800, height=600)
    )
    assert post(client, parts).status_code == 200
    masks = model.painted[0].masks
    assert masks is not None
    assert masks.artworks is not None
    assert (masks.picture.shape, masks.artworks[0].shape) == ((384, 512), (192, 256))
    assert masks.picture.dtype == torch.uint8


def test_what_is_left_empty_in_a_form_was_not_sent(client: FlaskClient, model: FakeModel) -> None:
    empty = (io.BytesIO(b""), "")
    parts = form() | {
        "content_mask": empty,
        "style_mask": (io.BytesIO(b""), ""),
        "init_image": (io.BytesIO(b""), ""),
    }
    assert post(client, parts).status_code == 200
    assert model.painted[0].masks is None


@pytest.mark.parametrize(
    ("options", "pictures", "fields", "sentence"),
    [
        ({}, {"style_mask": mask()}, ["content_mask"], "send both, or neither."),
        (
            {},
            {"content_mask": mask(), "style_mask": [mask(), mask()]},
            ["style_mask"],
            "style_mask was sent 2 times: send one for each of the 1 artworks, files first, then those by name; or "
            "none.",
        ),
        (
            {},
            {"content_mask": [mask(), mask()]},
            ["content_mask"],
            "content_mask was sent 2 times: send one mask of the photograph.",
        ),
        (
            {},
            {"init_image": [picture(), picture()]},
            ["init_image"],
            "init_image was sent 2 times: send one picture to start from.",
        ),
        (
            {},
            {"content_mask": mask("red", "lime"), "style_mask": mask("red", "blue")},
            ["style_mask"],
            "#00ff00 is in content_mask, but in no style_mask",
        ),
        (
            {},
            {"content_mask": mask(height=40)},
            ["content_mask"],
            "content_mask has 40x40 px and content 40x30 px: give both the same aspect ratio, within 2%.",
        ),
        ({}, {"content_mask": mask("black", "black")}, ["content_mask"], "entirely black"),
        (
            {},
            {"init_image": picture(30, 40)},
            ["init_image"],
            "init_image has 30x40 px and content 40x30 px: give both the same aspect ratio, within 2%.",
        ),
        (
            {"init": "noise"},
            {"init_image": picture()},
            ["init_image"],
            "init_image and init=noise contradict each other: leave one of them out.",
        ),
        (
            {"init": "image"},
            {},
            ["init_image"],
            "init is image, but init_image is missing: send the picture",
        ),
    ],
)
def test_what_does_not_go_together_is_said_in_a_sentence(
    client: FlaskClient,
    model: FakeModel,
    service: Service,
    options: dict[str, str],
    pictures: dict[str, Any],
    fields: list[str],
    sentence: str,
) -> None:
    answer = post(client, form(**options) | files(**pictures))
    found, detail = refused(answer)
    assert (found, model.painted, service.admission.taken) == (fields, [], 0)
    assert sentence in detail


def test_a_mask_with_too_many_colours_says_how_to_save_it(client: FlaskClient) -> None:
    photo = io.BytesIO()
    Image.effect_noise((40, 30), 60).save(photo, "png")
    parts = form() | files(content_mask=mask(), style_mask=photo.getvalue())
    fields, detail = refused(post(client, parts))
    assert fields == ["style_mask"]
    assert detail.startswith("style_mask: the picture has more than 8 colours besides black: ")
    assert "save it as PNG, without antialiasing and never as JPEG." in detail


def test_a_mask_in_another_format_is_unsupported(client: FlaskClient) -> None:
    answer = post(client, form() | files(content_mask=mask(), style_mask=b"GIF89a"))
    assert answer.status_code == 415
    assert answer.get_json()["errors"][0]["field"] == "style_mask"


@pytest.mark.parametrize("part", ["content_mask", "init_image"])
def test_they_come_through_the_same_gate_as_all_pictures(
    client: FlaskClient, service: Service, part: str
) -> None:
    before = value(service, "stylize_input_pixels_count", image=part)
    fields, detail = refused(post(client, form() | files(**{part: mask()[:-30]})))
    assert (fields, "damaged or cut short" in detail) == ([part], True)
    assert post(client, form() | files(**{part: mask()})).status_code == 200
    assert value(service, "stylize_input_pixels_count", image=part) == before + 1
