"""What every answer carries, and what none gives away."""

import re
import socket
from collections.abc import Iterable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from devtools.running import Server, read_answer
from devtools.serving import FakeModel
from service.api.app import create_admin_app
from service.api.context import Service
from service.api.paint import stylize
from tests.api.paint.test_problems import problem
from tests.api.paint.test_stylize import file, form, post

SECRET = "/srv/secret/path.py: the password is hunter2"
# What would tell somebody how the service is made.
_INSIDE = re.compile(
    r"Traceback|\.py\b|/service/|site-packages|werkzeug|flask|gunicorn|python|torch", re.IGNORECASE
)


def answers(client: FlaskClient) -> dict[str, TestResponse]:
    return {
        "a picture": post(client),
        "a report": post(client, accept="application/json"),
        "a problem": post(client, form(size=1)),
        "a wrong path": client.get("/nothing"),
        "a wrong method": client.get("/stylize"),
        "the root": client.get("/"),
        "readiness": client.get("/readyz"),
        "the description": client.get("/openapi.yaml"),
        "options": client.options("/stylize"),
    }


def check(headers: Iterable[tuple[str, str]], what: str) -> None:
    found = {name.lower(): value for name, value in headers}
    assert found["x-content-type-options"] == "nosniff", what
    assert found["referrer-policy"] == "no-referrer", what
    assert found["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'", what
    assert found["cross-origin-resource-policy"] == "same-origin", what


def test_every_answer_tells_browsers_to_do_nothing_with_it(client: FlaskClient, service: Service) -> None:
    for what, answer in answers(client).items():
        check(answer.headers, what)
    admin = create_admin_app(service).test_client()
    for path in ("/metrics", "/livez", "/readyz", "/nothing"):
        check(admin.get(path).headers, path)


def test_an_unexpected_error_shows_nothing_of_the_inside(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(stylize, "prepared", fail)
    answer = post(client)
    problem(answer, 500, "internal-error")
    said = answer.get_data(as_text=True) + str(answer.headers)
    assert "secret" not in said
    assert "RuntimeError" not in said
    assert not _INSIDE.search(said)
    check(answer.headers, "an unexpected error")


def test_neither_does_one_of_the_optimisation(client: FlaskClient, model: FakeModel) -> None:
    def fail(_: int) -> None:
        raise RuntimeError(SECRET)

    model.step = fail
    answer = post(client)
    problem(answer, 500, "internal-error")
    assert not _INSIDE.search(answer.get_data(as_text=True) + str(answer.headers))


@pytest.mark.parametrize(
    "parts", [{}, form(size=1), form() | {"content": file(b"abc")}, form(style_layers="{"), form(what="x")]
)
def test_nor_do_refusals(client: FlaskClient, parts: dict[str, object]) -> None:
    answer = post(client, parts)
    assert 400 <= answer.status_code < 500
    assert not _INSIDE.search(answer.get_data(as_text=True) + str(answer.headers))


def test_a_real_server_names_no_version_and_protects_what_is_not_even_http() -> None:
    with Server() as server:
        for answer in (server.get("/version"), server.get("/nothing"), server.admin("/livez")):
            assert not re.search(r"\d", answer.headers.get("Server", "")), answer.url
            check(answer.headers.items(), answer.url)
        with server.connect() as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            _, headers, _ = read_answer(connection)
        check(headers.items(), "what is not HTTP")
        with socket.create_connection(("127.0.0.1", server.admin_port), timeout=20) as connection:
            connection.sendall(b"GET / HTTP/x\r\n\r\n")
            refusal = connection.makefile("rb").read().decode()
        assert re.findall(r"(?i)^server:.*\d", refusal, re.MULTILINE) == []
        assert "Python" not in refusal
