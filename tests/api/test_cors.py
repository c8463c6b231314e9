"""Pages of other origins: nothing unless a setting names them, then everything that a client needs."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from devtools.serving import FakeModel, started
from service.api.context import service_of
from tests.api.paint.test_stylize import form

PAGE = "https://app.example.org"
OTHER = "https://evil.example.org"
KEY = "0123456789abcdef0123456789abcdef"
Open = Callable[..., FlaskClient]


@pytest.fixture
def open_to() -> Generator[Open, None, None]:
    apps = []

    def start(*origins: str, **settings: object) -> FlaskClient:
        apps.append(started(FakeModel(), cors_origins=origins, **settings))
        return apps[-1].test_client()

    yield start
    for app in apps:
        service_of(app).engine.stop()


def preflight(client: FlaskClient, origin: str, path: str = "/stylize") -> TestResponse:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-request-id",
    }
    return client.options(path, headers=headers)


def post(client: FlaskClient, origin: str, **fields: object) -> TestResponse:
    return client.post(
        "/stylize", data=form(**fields), content_type="multipart/form-data", headers={"Origin": origin}
    )


def listed(headers: Headers, name: str) -> set[str]:
    return {value.strip().lower() for value in headers.get(name, "").split(",") if value.strip()}


def of_cors(answer: TestResponse) -> list[str]:
    return [name for name, _ in answer.headers if name.startswith("Access-Control-")]


def test_without_the_setting_there_is_nothing(open_to: Open) -> None:
    client = open_to()
    for answer in (preflight(client, PAGE), post(client, PAGE)):
        assert of_cors(answer) == []
        assert "origin" not in listed(answer.headers, "Vary")


@pytest.mark.parametrize(
    ("origins", "answered"), [([PAGE], PAGE), (["https://x.org", PAGE], PAGE), (["*"], "*")]
)
def test_a_preflight_lets_a_page_send_what_a_client_sends(
    open_to: Open, origins: list[str], answered: str
) -> None:
    answer = preflight(open_to(*origins), PAGE)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == answered
    assert "post" in listed(answer.headers, "Access-Control-Allow-Methods")
    assert listed(answer.headers, "Access-Control-Allow-Headers") >= {
        "authorization",
        "content-type",
        "x-request-id",
    }
    assert int(answer.headers["Access-Control-Max-Age"]) > 600
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_page_can_read_the_answer_and_every_header_that_is_ours(open_to: Open) -> None:
    answer = post(open_to(PAGE), PAGE)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    ours = {name.lower() for name, _ in answer.headers if name.startswith("X-Stylize-")}
    assert len(ours) >= 4
    exposed = listed(answer.headers, "Access-Control-Expose-Headers")
    assert exposed >= ours | {"server-timing", "x-request-id", "retry-after", "etag"}
    assert listed(answer.headers, "Vary") == {"accept", "origin"}


def test_a_page_can_read_what_went_wrong(open_to: Open, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"phone:{KEY}\n")
    locked = open_to(PAGE, api_keys_file=tmp_path / "keys")
    answers = {
        401: post(locked, PAGE),
        422: post(open_to(PAGE), PAGE, size=1),
        404: locked.get("/x", headers={"Origin": PAGE}),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE


def test_a_preflight_needs_no_key_because_browsers_send_none(open_to: Open, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"phone:{KEY}\n")
    assert preflight(open_to(PAGE, api_keys_file=tmp_path / "keys"), PAGE).status_code == 204


@pytest.mark.parametrize(
    "origin",
    [
        OTHER,
        PAGE + ".evil.org",
        PAGE[:-1],
        "http://app.example.org",
        PAGE + ":8080",
        PAGE.upper(),
        "null",
        "",
    ],
)
def test_another_origin_is_told_nothing_and_caches_know_why(open_to: Open, origin: str) -> None:
    client = open_to(PAGE)
    for answer in (preflight(client, origin), post(client, origin)):
        assert of_cors(answer) == []
        assert "origin" in listed(answer.headers, "Vary")
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_path_that_does_not_exist_has_no_preflight(open_to: Open) -> None:
    assert preflight(open_to(PAGE), PAGE, "/nothing").status_code == 404
