"""Bearer keys at the door of POST /stylize."""

import logging
from collections.abc import Generator
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from devtools.serving import FakeModel, settings, started
from service.api.app import create_app
from service.api.context import Service, service_of
from tests.api.paint.test_problems import problem
from tests.api.paint.test_stylize import form, value

KEY = "0123456789abcdef0123456789abcdef"
OPEN = ["/", "/docs", "/styles", "/version", "/readyz", "/openapi.yaml", "/problems/unauthorized"]


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(f"phone:{KEY}\n")
    return path


@pytest.fixture
def app(model: FakeModel, keys_file: Path) -> Generator[Flask, None, None]:
    app = started(model, api_keys_file=keys_file)
    yield app
    service_of(app).engine.stop()


def post(client: FlaskClient, authorization: str | None) -> TestResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return client.post("/stylize", data=form(), content_type="multipart/form-data", headers=headers)


@pytest.mark.parametrize("authorization", [f"Bearer {KEY}", f"bearer  {KEY}"])
def test_with_a_key_a_picture_is_painted_and_the_log_has_its_name(
    client: FlaskClient, authorization: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert post(client, authorization).status_code == 200
    (line,) = [record for record in caplog.records if record.name == "stylize.request"]
    assert vars(line)["key_name"] == "phone"
    assert KEY not in repr([vars(record) for record in caplog.records])


def test_without_a_key_the_answer_says_how_to_send_one(client: FlaskClient) -> None:
    answer = post(client, None)
    assert problem(answer, 401, "unauthorized")["detail"] == (
        "Send a key for this service: Authorization: Bearer KEY."
    )
    assert (
        answer.headers["WWW-Authenticate"] == 'Bearer realm="stylize"'
    )  # RFC 6750, section 3.1: no error code


@pytest.mark.parametrize("token", [KEY[::-1], KEY + "0", KEY.upper(), "x", "=", f"phone:{KEY}"])
def test_a_wrong_key_is_told_apart_and_not_repeated(client: FlaskClient, token: str) -> None:
    answer = post(client, f"Bearer {token}")
    problem(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="stylize", error="invalid_token"'
    if len(token) > 1:
        assert token not in answer.get_data(as_text=True) + str(answer.headers)


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", KEY, f"Basic {KEY}", f"Bearer {KEY}, Bearer {KEY}", f"Bearer {KEY} x", "Bearer é"],
)
def test_a_header_that_is_no_bearer_key_is_explained(client: FlaskClient, authorization: str) -> None:
    answer = post(client, authorization)
    detail = problem(answer, 401, "unauthorized")["detail"]
    assert detail == "The Authorization header has no bearer key: send Authorization: Bearer KEY."


def test_a_key_in_the_address_does_not_count(client: FlaskClient) -> None:
    problem(client.post(f"/stylize?access_token={KEY}", data=form()), 401, "unauthorized")


def test_the_body_of_a_caller_without_a_key_is_not_read_and_takes_no_place(
    client: FlaskClient, service: Service
) -> None:
    class Unread(BytesIO):
        def read(self, *_: object) -> bytes:
            raise AssertionError("the body was read")

    tickets = [service.admission.admit() for _ in range(service.settings.places)]
    environ = {"wsgi.input": Unread(), "wsgi.input_terminated": True, "CONTENT_LENGTH": "999999999"}
    problem(client.post("/stylize", environ_overrides=environ), 401, "unauthorized")
    for ticket in tickets:
        ticket.__exit__(None, None, None)


def test_refusals_are_counted_apart(client: FlaskClient, service: Service) -> None:
    post(client, None)
    post(client, "Bearer x")
    assert value(service, "stylize_requests_total", outcome="unauthorized") == 2
    assert value(service, "stylize_requests_total", outcome="invalid_input") == 0


@pytest.mark.parametrize("path", OPEN)
def test_what_costs_nothing_needs_no_key(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_the_start_says_whether_it_is_open(keys_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    create_app(settings(), FakeModel)
    create_app(settings(api_keys_file=keys_file), FakeModel)
    assert caplog.messages == [
        "open to everybody: STYLIZE_API_KEYS_FILE is not set",
        "open to those with a key: phone",
    ]
