"""What clients do that browsers and curl do not: other headers, other parts, other names."""

import gzip
import json

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from devtools.serving import FakeModel, picture
from tests.api.paint.test_problems import problem
from tests.api.paint.test_stylize import b64, form, opened, post, post_json

PHOTOGRAPH = picture()
HEAD = 'Content-Disposition: form-data; name="content"'


def sent(client: FlaskClient, head: str, data: bytes) -> TestResponse:
    """A form whose first part has this head and these data, and an artwork in its second."""
    artwork = 'Content-Disposition: form-data; name="style"; filename="a.png"'
    parts = ((head, data), (artwork, picture(color="orange")))
    body = (
        b"".join(b"--XyZ\r\n%b\r\n\r\n%b\r\n" % (each.encode(), value) for each, value in parts)
        + b"--XyZ--\r\n"
    )
    return client.post("/stylize", data=body, content_type="multipart/form-data; boundary=XyZ")


# Headers that change what the body means.


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip"])
def test_a_body_that_was_compressed_is_415_and_says_so(client: FlaskClient, encoding: str) -> None:
    body = gzip.compress(json.dumps({"content": b64(PHOTOGRAPH), "style": b64(PHOTOGRAPH)}).encode())
    headers = {"Content-Encoding": encoding}
    answer = client.post("/stylize", data=body, content_type="application/json", headers=headers)
    body_of_it = problem(answer, 415, "unsupported-media-type")
    assert answer.headers["Accept-Encoding"] == "identity"
    assert f"Content-Encoding: {encoding}" in body_of_it["detail"]


def test_identity_is_no_encoding(client: FlaskClient) -> None:
    headers = {"Content-Encoding": "Identity"}
    assert client.post("/stylize", data=form(), headers=headers).status_code == 200


@pytest.mark.parametrize("header", ["Content-Encoding: gzip", "Content-Transfer-Encoding: base64"])
def test_a_part_that_was_encoded_is_415(client: FlaskClient, header: str) -> None:
    body = problem(
        sent(client, f'{HEAD}; filename="a.png"\r\n{header}', PHOTOGRAPH), 415, "unsupported-media-type"
    )
    assert header in body["detail"]


def test_a_part_that_is_binary_is_as_it_is(client: FlaskClient) -> None:
    head = f'{HEAD}; filename="a.png"\r\nContent-Transfer-Encoding: binary'
    assert sent(client, head, PHOTOGRAPH).status_code == 200


# Pictures without the name of a file (RFC 7578, section 4.2).


@pytest.mark.parametrize(
    "more", ["", "\r\nContent-Type: image/png", "\r\nContent-Type: application/octet-stream"]
)
@pytest.mark.parametrize("padding", [0, 400_000])
def test_a_picture_needs_no_filename(client: FlaskClient, model: FakeModel, more: str, padding: int) -> None:
    assert sent(client, HEAD + more, PHOTOGRAPH + bytes(padding)).status_code == 200
    assert len(model.painted) == 1


def test_a_text_in_the_place_of_a_picture_still_is_none(client: FlaskClient) -> None:
    body = problem(sent(client, HEAD, b"photo.jpg"), 422, "invalid-request")
    assert body["detail"] == "content is a text field: send it as a file, like curl -F content=@picture.jpg."


def test_something_else_that_calls_itself_a_picture_is_judged_as_one(client: FlaskClient) -> None:
    problem(sent(client, f"{HEAD}\r\nContent-Type: image/jpeg", b"photo.jpg"), 415, "unsupported-image")


def test_a_long_text_is_named(client: FlaskClient) -> None:
    body = problem(post(client, form(color="x" * (1 << 18 | 1))), 413, "body-too-large")
    assert body["detail"].startswith('"color" is a text of 262,145 bytes')


# Options where they are not read.


def test_options_in_the_query_are_refused_with_where_they_go(client: FlaskClient, model: FakeModel) -> None:
    answer = client.post("/stylize?size=64&nonsense=1", data=form(), content_type="multipart/form-data")
    body = problem(answer, 422, "invalid-request")
    assert [error["field"] for error in body["errors"]] == ["size", "nonsense"]
    assert "send options in the body, as fields of the form or members of the JSON" in body["detail"]
    assert model.painted == []


# Names that everybody uses.


def test_jpg_is_jpeg(client: FlaskClient) -> None:
    for answer in (post(client, form(format="jpg")), post_json(client, format="jpg")):
        assert answer.content_type == "image/jpeg"
        assert opened(answer).format == "JPEG"


@pytest.mark.parametrize(
    "name", ["image/jpg", "image/pjpeg", "Image/JPG", "image/jpg;q=0.9, text/html;q=0.1"]
)
def test_so_it_is_in_the_accept_header(client: FlaskClient, name: str) -> None:
    answer = post(client, accept=name)
    assert answer.content_type == "image/jpeg"


def test_numbers_of_languages_with_one_type_of_number_are_whole(client: FlaskClient) -> None:
    answer = post_json(client, size=64.0, iterations=2.0, seed=7.0)
    assert answer.status_code == 200
    assert answer.headers["X-Stylize-Seed"] == "7"
    assert opened(answer).size == (64, 48)
