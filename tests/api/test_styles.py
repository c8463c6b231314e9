"""The catalogue over HTTP: listed, shown, and painted with."""

import io
import logging
from collections.abc import Generator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from devtools.running import Server
from devtools.serving import FakeModel, picture, settings, started, wait_until
from service.api import create_app
from service.api.context import service_of
from tests.api.paint.test_problems import problem
from tests.api.paint.test_stylize import b64, file, form, post, post_json

RED, BLUE, ORANGE = [255, 0, 0], [0, 0, 255], [255, 165, 0]
EXAMPLES = Path(__file__).parents[2] / "examples" / "styles"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rose.png").write_bytes(picture(300, 200, "red"))
    (tmp_path / "dusk.png").write_bytes(picture(60, 40, "blue"))
    (tmp_path / "styles.toml").write_text('[rose]\ntitle = "A rose"\nyear = 1889\nlicence = "CC0-1.0"')
    return tmp_path


@pytest.fixture
def app(model: FakeModel, folder: Path) -> Generator[Flask, None, None]:
    app = started(model, styles_dir=folder)
    yield app
    service_of(app).stop()


def named(*names: str, files: int = 0) -> dict[str, object]:
    parts = form()
    parts["style"] = [file(picture(color="orange")) for _ in range(files)]
    return parts | {"style_name": list(names)}


def colors(model: FakeModel) -> list[list[int]]:
    return [style[:, 0, 0].tolist() for style in model.painted[-1].styles]


@pytest.mark.parametrize("path", ["/styles", "/styles/rose", "/styles/rose/thumbnail"])
def test_until_the_folder_is_read_whoever_asks_is_told_to_ask_again(folder: Path, path: str) -> None:
    app = create_app(settings(styles_dir=folder), FakeModel)  # whose engine nobody has started
    refused = app.test_client().get(path)
    assert "still being read" in problem(refused, 503, "not-ready")["detail"]
    assert int(refused.headers["Retry-After"]) >= 1
    service_of(app).catalogue.look()
    assert app.test_client().get(path).status_code == 200


def test_the_list_has_what_a_client_shows(client: FlaskClient) -> None:
    answer = client.get("/styles")
    assert answer.get_json() == {
        "styles": [
            {
                "name": "dusk",
                "title": "Dusk",
                "width": 60,
                "height": 40,
                "thumbnail": "/styles/dusk/thumbnail",
            },
            {
                "name": "rose",
                "title": "A rose",
                "year": "1889",
                "licence": "CC0-1.0",
                "width": 300,
                "height": 200,
                "thumbnail": "/styles/rose/thumbnail",
            },
        ]
    }
    assert client.get("/styles/rose").get_json() == answer.get_json()["styles"][1]


def test_a_thumbnail_is_where_the_list_says(client: FlaskClient) -> None:
    for style in client.get("/styles").get_json()["styles"]:
        answer = client.get(style["thumbnail"])
        assert answer.content_type == "image/jpeg"
        image = Image.open(io.BytesIO(answer.data))
        assert image.format == "JPEG"
        assert max(image.size) == min(256, style["width"])
    assert "max-age=" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/styles", "/styles/rose", "/styles/rose/thumbnail"])
def test_who_has_it_already_is_not_sent_it_again(
    client: FlaskClient, app: Flask, folder: Path, path: str
) -> None:
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    (folder / "rose.png").write_bytes(picture(80, 90, "green"))
    service_of(app).catalogue.look()
    after = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert after.status_code == 200
    assert after.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize(
    "path",
    [
        "/styles/roses",
        "/styles/roses/thumbnail",
        "/styles/..",
        "/styles/%2e%2e%2fstyles.toml",
        "/styles/rose.png",
    ],
)
def test_what_is_not_there_is_a_problem(client: FlaskClient, path: str) -> None:
    problem(client.get(path), 404, "not-found")


def test_a_name_that_is_almost_right_is_suggested(client: FlaskClient) -> None:
    assert "did you mean rose?" in problem(client.get("/styles/roses"), 404, "not-found")["detail"]


def test_a_style_is_painted_with_by_its_name(
    client: FlaskClient, model: FakeModel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert post(client, named("rose")).status_code == 200
    assert colors(model) == [RED]
    (line,) = [vars(record) for record in caplog.records if record.name == "stylize.request"]
    assert line["style_names"] == ("rose",)


def test_files_come_first_and_then_the_names_in_their_order(client: FlaskClient, model: FakeModel) -> None:
    parts = named("rose", "dusk", "rose", files=1) | {"style_weights": "1,2,3,4"}
    assert post(client, parts).status_code == 200
    assert colors(model) == [ORANGE, RED, BLUE, RED]
    assert model.painted[-1].options.style_blend == (1, 2, 3, 4)


@pytest.mark.parametrize(("names", "expected"), [("rose", [RED]), (["dusk", "rose"], [BLUE, RED])])
def test_json_has_a_name_or_a_list_of_them(
    client: FlaskClient, model: FakeModel, names: object, expected: list[list[int]]
) -> None:
    assert post_json(client, style=..., style_name=names).status_code == 200
    assert colors(model) == expected
    assert post_json(client, style=b64(picture(color="orange")), style_name=names).status_code == 200
    assert colors(model) == [ORANGE, *expected]


def test_an_unknown_name_is_refused_with_everything_else_that_is_wrong(client: FlaskClient) -> None:
    body = problem(post(client, named("roze", "dusk", "x") | {"size": "9999"}), 422, "invalid-request")
    assert [error["field"] for error in body["errors"]] == ["style_name", "style_name", "size"]
    assert body["errors"][0]["message"] == (
        '"roze" is not a style of this service: did you mean rose? GET /styles lists all of them.'
    )
    assert body["errors"][1]["message"] == '"x" is not a style of this service: GET /styles lists them.'


@pytest.mark.parametrize("name", ["../rose", "rose.png", "..data", "/etc/passwd", "styles", "%2e%2e"])
def test_a_name_reaches_nothing_but_the_catalogue(client: FlaskClient, name: str) -> None:
    problem(post(client, named(name)), 422, "invalid-request")


def test_there_are_at_most_eight_artworks_of_both_kinds(client: FlaskClient) -> None:
    assert post(client, named(*["rose"] * 6, files=2)).status_code == 200
    body = problem(post(client, named(*["rose"] * 6, files=3)), 422, "invalid-request")
    assert (
        body["detail"] == "style was sent 3 times and style_name was sent 6 times: send at most 8 artworks."
    )


def test_a_field_of_a_form_that_was_left_empty_was_not_given(client: FlaskClient) -> None:
    body = problem(post(client, named(" ")), 422, "invalid-request")
    assert body["detail"] == (
        "style is missing: send at least one artwork as a file, or the name of one of GET /styles as style_name."
    )


@pytest.mark.parametrize("value", [3, None, [1], {"a": 1}])
def test_what_is_no_name_is_refused(client: FlaskClient, value: object) -> None:
    body = problem(post_json(client, style=..., style_name=value), 422, "invalid-request")
    assert "give the name of a style, or a list of names." in body["detail"]
    assert {error["field"] for error in body["errors"]} == {"style_name"}


def test_a_name_that_is_sent_as_a_file_is_explained(client: FlaskClient) -> None:
    body = problem(post(client, form() | {"style_name": file(b"rose")}), 422, "invalid-request")
    assert body["detail"] == ("style_name is a file: send it as a text field, like curl -F style_name=VALUE.")


def test_a_style_that_has_just_been_taken_away_is_no_error_of_the_service(
    client: FlaskClient, app: Flask, folder: Path
) -> None:
    catalogue = service_of(app).catalogue
    catalogue._cache.keep_only(set())
    (folder / "rose.png").unlink()
    answer = post(client, named("rose"))
    assert "has just been changed or removed" in problem(answer, 422, "invalid-request")["detail"]


def test_without_a_catalogue_the_list_is_empty_and_a_name_is_explained() -> None:
    app = started(FakeModel())
    client = app.test_client()
    assert client.get("/styles").get_json() == {"styles": []}
    detail = problem(post(client, named("rose")), 422, "invalid-request")["detail"]
    assert (
        detail
        == '"rose" is not a known style, because this service has no catalogue: send the artwork as a file.'
    )
    service_of(app).stop()


def test_the_examples_are_a_catalogue_with_credits() -> None:
    app = started(FakeModel(), styles_dir=EXAMPLES)
    styles = app.test_client().get("/styles").get_json()["styles"]
    service_of(app).stop()
    assert {style["name"] for style in styles} == {path.stem for path in EXAMPLES.glob("*.jpg")}
    assert len(styles) == 8
    for style in styles:
        assert style["licence"] == "CC0-1.0"
        assert {"title", "artist", "year", "source"} <= set(style)


def test_a_running_server_notices_within_two_seconds(folder: Path) -> None:
    with Server(STYLIZE_STYLES_DIR=folder) as server:
        assert [style["name"] for style in server.get("/styles").json()["styles"]] == ["dusk", "rose"]
        (folder / "broken.png").write_bytes(b"abc")
        (folder / "tulip.png").write_bytes(picture())
        (folder / "dusk.png").unlink()

        def names() -> list[str]:
            return [style["name"] for style in server.get("/styles").json()["styles"]]

        wait_until(lambda: names() == ["rose", "tulip"], 2)
        wait_until(lambda: "broken.png is left out" in server.output(), 2)
        server.terminate()
        assert server.process.wait(20) == 0
