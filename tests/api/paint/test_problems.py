"""Bad input at every boundary: the right status, and a problem that says what to change."""

import json
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from devtools.serving import FakeModel, picture, started
from service.api.context import service_of
from service.problems import PROBLEMS
from tests.api.paint.test_stylize import b64, file, form, post, post_json

TEXT = b"This is a text and no picture.\n" * 9


def problem(answer: TestResponse, status: int, slug: str) -> dict[str, Any]:
    """The problem of an answer, after checking what every problem has."""
    assert answer.status_code == status, answer.data
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.data)
    assert body["type"] == f"/problems/{slug}"
    assert body["status"] == status
    assert body["title"] == PROBLEMS[slug].title
    assert body["detail"]
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert set(body) <= {"type", "title", "status", "detail", "request_id", "errors"}
    return body


def raw(client: FlaskClient, body: BytesIO, content_type: str, length: str) -> TestResponse:
    """A request as gunicorn hands it over: with a body that ends by itself, whatever its announced length."""
    environ = {
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": length,
    }
    return client.post("/stylize", environ_overrides=environ)


def without(name: str) -> dict[str, Any]:
    parts = form()
    del parts[name]
    return parts


@pytest.mark.parametrize("name", ["content", "style"])
def test_a_missing_picture_is_named(client: FlaskClient, name: str) -> None:
    body = problem(post(client, without(name)), 422, "invalid-request")
    assert [error["field"] for error in body["errors"]] == [name]
    assert body["detail"].startswith(f"{name} is missing: send ")


@pytest.mark.parametrize("name", ["content", "style"])
def test_a_text_in_place_of_a_picture(client: FlaskClient, name: str) -> None:
    body = problem(post(client, form() | {name: file(TEXT, "notes.png")}), 415, "unsupported-image")
    assert body["detail"].startswith(name)
    assert body["errors"][0]["field"] == name


@pytest.mark.parametrize("name", ["content", "style"])
def test_a_picture_that_was_sent_as_a_text_field(client: FlaskClient, name: str) -> None:
    body = problem(post(client, form() | {name: "hello"}), 422, "invalid-request")
    assert body["detail"] == f"{name} is a text field: send it as a file, like curl -F {name}=@picture.jpg."


@pytest.mark.parametrize("name", ["content", "style"])
def test_a_picture_of_one_pixel(client: FlaskClient, name: str) -> None:
    body = problem(post(client, form() | {name: file(picture(1, 1))}), 422, "unusable-image")
    assert body["detail"].startswith(name)
    assert "16" in body["detail"]


def test_a_picture_that_is_cut_short(client: FlaskClient) -> None:
    whole = picture(300, 300, image_format="jpeg")
    problem(post(client, form() | {"content": file(whole[: len(whole) // 2])}), 422, "unusable-image")


def test_a_picture_with_too_many_pixels() -> None:
    small = started(FakeModel(), max_pixels=4096)
    body = problem(
        post(small.test_client(), form() | {"style": file(picture(65, 64))}), 422, "unusable-image"
    )
    assert body["detail"].startswith("style: ")
    service_of(small).engine.stop()


def test_the_wrong_one_of_several_artworks_is_numbered(client: FlaskClient) -> None:
    parts = form() | {"style": [file(picture()), file(TEXT)]}
    assert problem(post(client, parts), 415, "unsupported-image")["detail"].startswith("style 2: ")


def test_an_empty_file(client: FlaskClient) -> None:
    problem(post(client, form() | {"content": file(b"")}), 415, "unsupported-image")


def test_a_form_whose_file_was_not_chosen(client: FlaskClient) -> None:
    body = problem(post(client, form() | {"content": file(b"", "")}), 422, "invalid-request")
    assert "content is missing" in body["detail"]


@pytest.mark.parametrize(
    ("option", "value", "detail"),
    [
        ("size", "99999", "size is 99999: give a whole number from 32 to 1024, in pixels."),
        ("strength", "7", 'strength is "7": give a number from 0 to 1.'),
        ("styel", "x", '"styel" is not a known option of /stylize: did you mean style?'),
        ("qwertz", "x", '"qwertz" is not a known option of /stylize: there are anchor_image, '),
        ("budget", "100", "budget is 100: give a number above 0, at most 60, in seconds."),
        (
            "style_layers",
            "conv6_1",
            'style_layers: "conv6_1" is not a known layer of this network: did you mean ',
        ),
        ("style_weights", "1,2", "style_weights has 2 numbers: give 1, one for each style."),
    ],
)
def test_a_wrong_option(client: FlaskClient, option: str, value: str, detail: str) -> None:
    body = problem(post(client, form(**{option: value})), 422, "invalid-request")
    assert body["detail"].startswith(detail)
    assert body["errors"] == [{"field": option, "message": body["detail"]}]


def test_everything_that_is_wrong_is_said_at_once(client: FlaskClient) -> None:
    body = problem(post(client, without("style") | {"strength": "7", "sizes": "3"}), 422, "invalid-request")
    assert {error["field"] for error in body["errors"]} == {"style", "strength", "sizes"}
    assert all(error["message"] in body["detail"] for error in body["errors"])


def test_an_option_that_is_sent_twice(client: FlaskClient) -> None:
    body = problem(post(client, form(size=["64", "65"])), 422, "invalid-request")
    assert body["detail"] == "size was sent 2 times: send it once."


def test_an_option_that_is_sent_as_a_file(client: FlaskClient) -> None:
    body = problem(post(client, form() | {"size": file(b"64")}), 422, "invalid-request")
    assert body["detail"] == "size is a file: send it as a text field, like curl -F size=VALUE."


def test_a_file_of_an_unknown_name(client: FlaskClient) -> None:
    body = problem(post(client, form() | {"contents": file(picture())}), 422, "invalid-request")
    assert body["detail"] == '"contents" is not a known picture of /stylize: did you mean content?'


def test_two_photographs(client: FlaskClient) -> None:
    body = problem(
        post(client, form() | {"content": [file(picture()), file(picture())]}), 422, "invalid-request"
    )
    assert body["detail"] == "content was sent 2 times: send one photograph."


def test_nine_artworks(client: FlaskClient) -> None:
    body = problem(
        post(client, form() | {"style": [file(picture()) for _ in range(9)]}), 422, "invalid-request"
    )
    assert body["detail"] == "style was sent 9 times: send at most 8 artworks."


def test_a_photograph_too_narrow_for_the_network(client: FlaskClient) -> None:
    body = problem(post(client, form(size=64) | {"content": file(picture(200, 20))}), 422, "invalid-request")
    assert "64x6 px" in body["detail"]
    assert "larger size" in body["detail"]


def test_a_picture_too_large_for_the_memory_is_refused_before_it_waits_for_the_engine(
    client: FlaskClient, model: FakeModel
) -> None:
    model.memory = 12 * 100**2
    body = problem(post(client, form(size=101)), 422, "invalid-request")
    assert body["detail"] == "Size 101 needs more than 120000 bytes: ask for less."
    assert body["errors"] == [{"field": "size", "message": body["detail"]}]
    assert model.painted == []
    assert post(client, form(size=100)).status_code == 200


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "application/json"])
def test_an_empty_body(client: FlaskClient, content_type: str) -> None:
    answer = raw(client, BytesIO(), content_type, "0")
    assert problem(answer, 400, "malformed-request")["detail"].startswith("The body is empty: send ")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\nabc\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data; boundary=x"),
        (b"abc", "multipart/form-data"),
        (b"abc", "multipart/form-data; boundary=\xc3\xa4"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"NaN", "application/json"),
        (b"[" * 4000, "application/json"),
    ],
)
def test_a_body_that_is_not_what_it_says(client: FlaskClient, body: bytes, content_type: str) -> None:
    problem(client.post("/stylize", data=body, content_type=content_type), 400, "malformed-request")


def test_a_body_that_is_cut_short(client: FlaskClient) -> None:
    answer = raw(client, BytesIO(b"--x"), "multipart/form-data; boundary=x", "100")
    assert "after 3 of 100 bytes" in problem(answer, 400, "malformed-request")["detail"]


@pytest.mark.parametrize(
    "content_type", [None, "image/png", "application/x-www-form-urlencoded", "text/plain"]
)
def test_another_type_of_body(client: FlaskClient, content_type: str | None) -> None:
    answer = client.post("/stylize", data=b"abc", content_type=content_type)
    assert "multipart/form-data" in problem(answer, 415, "unsupported-media-type")["detail"]


def test_too_many_bytes_are_refused_by_their_announcement(client: FlaskClient) -> None:
    class Unread(BytesIO):
        def read(self, *_: object) -> bytes:
            raise AssertionError("the body was read")

    answer = raw(client, Unread(), "multipart/form-data; boundary=x", "20000001")
    body = problem(answer, 413, "body-too-large")
    assert body["detail"] == "The body has 20,000,001 bytes: send at most 20,000,000."


def test_too_many_bytes_are_refused_while_reading_too(client: FlaskClient) -> None:
    answer = raw(client, BytesIO(b"x" * 20_000_001), "application/json", "")
    problem(answer, 413, "body-too-large")


@pytest.mark.parametrize("parts", [{f"f{i}": "x" for i in range(65)}, {"size": "9" * 300_000}])
def test_a_form_with_too_much_text(client: FlaskClient, parts: dict[str, Any]) -> None:
    problem(post(client, parts), 413, "body-too-large")


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "image/gif",
        "image/png;q=0",
        "application/xml",
        "*/*;q=0",
        "*/png",
        "image/gif, text/plain",
    ],
)
def test_a_representation_that_there_is_not(client: FlaskClient, accept: str) -> None:
    assert "image/png" in problem(post(client, accept=accept), 406, "not-acceptable")["detail"]


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"content": ...}, "content is missing"),
        ({"style": ...}, "style is missing"),
        ({"style": []}, "style is missing"),
        ({"content": 5}, "content is not a text: send the file's bytes as base64."),
        ({"content": "ä"}, "content is not base64"),
        ({"style": "a.png"}, "style is not base64, as it has '.' in it"),
        ({"style": [b64(picture()), None]}, "style is not a text"),
        ({"size": "64"}, 'size is "64": give a whole number, at least 32.'),
        ({"size": None}, "size is null: leave it out, or give a value."),
        ({"strength": True}, "strength is true: give a number from 0 to 1."),
    ],
)
def test_json_with_something_wrong(client: FlaskClient, fields: dict[str, Any], detail: str) -> None:
    assert problem(post_json(client, **fields), 422, "invalid-request")["detail"].startswith(detail)


@pytest.mark.parametrize("name", ["style", "style_name"])
@pytest.mark.parametrize("item", ["1", '"a"'])
def test_a_very_long_list_in_json_makes_one_complaint(client: FlaskClient, name: str, item: str) -> None:
    body = f'{{"content": "{b64(picture())}", "{name}": [{",".join([item] * 1000)}]}}'
    answer = client.post("/stylize", data=body, content_type="application/json")
    assert problem(answer, 422, "invalid-request")["errors"] == [
        {"field": name, "message": f"{name} was sent 1000 times: send at most 8 artworks."}
    ]


def test_json_with_very_many_members_is_not_looked_at_one_by_one(client: FlaskClient) -> None:
    answer = post_json(client, **{f"f{number}": number for number in range(65)})
    assert "more than 64 members" in problem(answer, 413, "body-too-large")["detail"]


def test_json_with_a_text_in_place_of_a_picture(client: FlaskClient) -> None:
    problem(post_json(client, content=b64(TEXT)), 415, "unsupported-image")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_the_wrong_method_names_the_right_one(client: FlaskClient, method: str) -> None:
    answer = client.open("/stylize", method=method)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    if method != "HEAD":
        problem(answer, 405, "method-not-allowed")


@pytest.mark.parametrize(
    "path", ["/nothing", "/stylize/", "//stylize", "/problems/none", "/metrics", "/livez"]
)
def test_a_wrong_path(client: FlaskClient, path: str) -> None:
    problem(client.post(path) if "stylize" in path else client.get(path), 404, "not-found")


def test_every_type_of_problem_is_explained_at_its_own_address(client: FlaskClient) -> None:
    for kind in PROBLEMS.values():
        answer = client.get(kind.uri)
        assert answer.status_code == 200
        assert answer.get_json() == {
            "type": kind.uri,
            "title": kind.title,
            "status": kind.status,
            "detail": kind.detail,
        }
