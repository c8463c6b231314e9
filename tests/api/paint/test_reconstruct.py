"""POST /reconstruct/content and /reconstruct/style: everything that /stylize does, with fewer pictures."""

import base64
import io
import json
import logging
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from devtools.events import read
from devtools.serving import FakeModel, picture, started
from service.api.context import Service, service_of
from service.intake.operations import RECONSTRUCT_CONTENT, RECONSTRUCT_STYLE, Operation
from service.style.options import PAPER_STYLE_LAYERS
from tests.api.paint.test_problems import problem
from tests.api.paint.test_stylize import b64, file, opened, value

Parts = dict[str, Any]

both = pytest.mark.parametrize(
    "operation", [RECONSTRUCT_CONTENT, RECONSTRUCT_STYLE], ids=lambda operation: operation.path
)


def form(operation: Operation, **fields: object) -> Parts:
    """The picture that it wants, and options."""
    return {operation.pictures[0]: file(picture())} | {name: str(value) for name, value in fields.items()}


def post(
    client: FlaskClient, operation: Operation, parts: Parts | None = None, **headers: str
) -> TestResponse:
    return client.post(
        operation.path,
        data=form(operation) if parts is None else parts,
        content_type="multipart/form-data",
        headers={name.replace("_", "-"): text for name, text in headers.items()},
    )


@both
def test_one_picture_becomes_a_picture_of_its_aspect_ratio(client: FlaskClient, operation: Operation) -> None:
    answer = post(client, operation)
    assert (answer.status_code, answer.content_type) == (200, "image/png")
    assert opened(answer).size == (256, 192)
    assert answer.headers["X-Stylize-Evaluations"] == "3"


def test_content_is_painted_without_artworks_and_without_style(client: FlaskClient, model: FakeModel) -> None:
    assert (
        post(client, RECONSTRUCT_CONTENT, form(RECONSTRUCT_CONTENT, content_layers="conv2_1")).status_code
        == 200
    )
    (work,) = model.painted
    assert list(work.styles) == []
    assert (work.options.style_weight, work.options.init) == (0, "noise")
    assert work.options.content_layers == {"conv2_1": 1}


def test_style_is_painted_without_content_and_in_the_shape_of_the_first_artwork(
    client: FlaskClient, model: FakeModel
) -> None:
    parts = form(RECONSTRUCT_STYLE, style_weights="3,1", style_scale=0.5, size=64)
    parts["style"] = [file(picture(600, 300, "red")), file(picture(300, 600, "blue"))]
    assert opened(post(client, RECONSTRUCT_STYLE, parts)).size == (64, 32)
    (work,) = model.painted
    assert (work.options.content_weight, work.options.init) == (0, "noise")
    assert (work.options.style_layers, work.options.style_blend) == (PAPER_STYLE_LAYERS, (3, 1))
    assert [style.shape for style in work.styles] == [(3, 128, 256), (3, 256, 128)]


def test_style_is_also_painted_from_the_catalogue(tmp_path: Path) -> None:
    (tmp_path / "dots.png").write_bytes(picture(64, 32, "red"))
    model = FakeModel()
    app = started(model, styles_dir=tmp_path)
    answer = post(app.test_client(), RECONSTRUCT_STYLE, {"style_name": "dots"})
    service_of(app).engine.stop()
    assert opened(answer).size == (256, 128)
    assert model.painted[0].styles[0][:, 0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(("operation", "mode"), [(RECONSTRUCT_CONTENT, "RGBA"), (RECONSTRUCT_STYLE, "RGB")])
def test_transparency_belongs_to_a_photograph_and_not_to_a_texture(
    client: FlaskClient, operation: Operation, mode: str
) -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (40, 30), (9, 9, 9, 99)).save(buffer, "png")
    assert opened(post(client, operation, {operation.pictures[0]: file(buffer.getvalue())})).mode == mode


@both
def test_one_too_large_for_the_memory_is_refused_before_it_waits_for_the_engine(
    client: FlaskClient, model: FakeModel, operation: Operation
) -> None:
    model.memory = 12 * 100**2
    body = problem(post(client, operation, form(operation, size=101)), 422, "invalid-request")
    assert body["detail"] == "Size 101 needs more than 120000 bytes: ask for less."
    assert body["errors"] == [{"field": "size", "message": body["detail"]}]
    assert model.painted == []
    assert post(client, operation, form(operation, size=100)).status_code == 200


@pytest.mark.parametrize(
    ("operation", "artworks"), [(RECONSTRUCT_CONTENT, []), (RECONSTRUCT_STYLE, [(768, 1024)])]
)
def test_its_memory_is_that_of_its_one_picture_as_it_is_kept(
    client: FlaskClient, model: FakeModel, operation: Operation, artworks: list[tuple[int, int]]
) -> None:
    with patch.object(model, "require_memory") as asked:
        parts = {operation.pictures[0]: file(picture(1600, 1200)), "size": "64"}
        if operation is RECONSTRUCT_STYLE:
            parts["style_scale"] = "2"
        assert post(client, operation, parts).status_code == 200
    ((shapes,), _) = asked.call_args
    assert shapes.photograph == (384, 512)
    assert (list(shapes.artworks), shapes.regions) == (artworks, 0)


@both
def test_json_in_and_out(client: FlaskClient, operation: Operation) -> None:
    body = {operation.pictures[0]: b64(picture()), "size": 48, "iterations": 5}
    report = client.post(operation.path, json=body, headers={"Accept": "application/json"}).get_json()
    assert Image.open(io.BytesIO(base64.b64decode(report["image"]))).size == (48, 36)
    assert set(report["settings"]) <= set(operation.options)
    assert (report["settings"]["size"], report["settings"]["iterations"]) == (48, 5)


@both
def test_events_end_with_the_result(client: FlaskClient, operation: Operation) -> None:
    answer = post(client, operation, Accept="text/event-stream")
    events = list(read(answer.iter_encoded()))
    assert events[-1].name == "result"
    assert set(events[-1].data["settings"]) <= set(operation.options)


@both
def test_the_picture_is_missing(client: FlaskClient, operation: Operation) -> None:
    (name,) = operation.pictures
    body = problem(post(client, operation, {"size": "64"}), 422, "invalid-request")
    assert [error["field"] for error in body["errors"]] == [name]
    assert body["detail"].startswith(f"{name} is missing: send ")


@both
def test_an_empty_body_is_told_what_to_send(client: FlaskClient, operation: Operation) -> None:
    answer = client.post(operation.path, data=b"", content_type="application/json")
    detail = problem(answer, 400, "malformed-request")["detail"]
    assert detail == f"The body is empty: send {operation.wanted}."


@pytest.mark.parametrize(
    ("operation", "name", "detail"),
    [
        (
            RECONSTRUCT_CONTENT,
            "style",
            '"style" is not a known picture of /reconstruct/content: there is only content.',
        ),
        (
            RECONSTRUCT_STYLE,
            "content",
            '"content" is not a known picture of /reconstruct/style: there is only style.',
        ),
    ],
    ids=["style", "content"],
)
def test_a_picture_that_is_not_wanted_is_refused(
    client: FlaskClient, operation: Operation, name: str, detail: str
) -> None:
    body = problem(post(client, operation, form(operation) | {name: file(picture())}), 422, "invalid-request")
    assert body["errors"] == [{"field": name, "message": detail}]
    sent = {operation.pictures[0]: b64(picture()), name: b64(picture())}
    body = problem(client.post(operation.path, json=sent), 422, "invalid-request")
    assert [error["field"] for error in body["errors"]] == [name]


@both
@pytest.mark.parametrize("option", ["strength", "content_weight", "style_weight"])
def test_a_weight_is_refused_as_there_is_nothing_to_weigh(
    client: FlaskClient, operation: Operation, option: str
) -> None:
    body = problem(post(client, operation, form(operation, **{option: 0.5})), 422, "invalid-request")
    assert body["detail"].startswith(f'"{option}" is not a known option of {operation.path}: ')


def test_an_artwork_too_narrow_for_a_texture_is_refused_with_what_to_do(client: FlaskClient) -> None:
    parts = form(RECONSTRUCT_STYLE, size=64) | {"style": file(picture(200, 20))}
    detail = problem(post(client, RECONSTRUCT_STYLE, parts), 422, "invalid-request")["detail"]
    assert detail.startswith("A 200x20 px picture at size 64 becomes 64x6 px")


@both
def test_a_key_is_needed_where_there_are_keys(tmp_path: Path, operation: Operation) -> None:
    keys = tmp_path / "keys"
    keys.write_text("client:0123456789abcdef0123456789abcdef\n")
    app = started(FakeModel(), api_keys_file=keys)
    answer = post(app.test_client(), operation)
    service_of(app).engine.stop()
    problem(answer, 401, "unauthorized")


@both
def test_it_is_counted_and_logged_under_its_own_route(
    client: FlaskClient, service: Service, operation: Operation, caplog: pytest.LogCaptureFixture
) -> None:
    labels = {"route": operation.path, "method": "POST", "code": "200"}
    assert value(service, "stylize_http_requests_total", **labels) == 0  # before the first
    caplog.set_level(logging.INFO, "stylize.request")
    post(client, operation)
    assert value(service, "stylize_http_requests_total", **labels) == 1
    assert value(service, "stylize_requests_total", outcome="ok") == 1
    (line,) = [vars(record) for record in caplog.records if record.name == "stylize.request"]
    assert (line["route"], line["outcome"], line["evaluations"]) == (operation.path, "ok", 3)


@both
def test_an_error_shows_nothing(client: FlaskClient, model: FakeModel, operation: Operation) -> None:
    def explode(_: int) -> None:
        raise RuntimeError("secret")

    model.step = explode
    answer = post(client, operation)
    assert json.loads(answer.data)["type"] == "/problems/internal-error"
    assert b"secret" not in answer.data
