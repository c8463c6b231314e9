"""HEAD, OPTIONS, and methods that there are not, on every route of both applications."""

from typing import Any

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from devtools.serving import FakeModel, settings
from service.api.app import create_admin_app, create_app
from service.api.context import Service
from service.problems import MEDIA_TYPE

EXAMPLES = {"slug": "queue-full", "file": "swagger-ui-bundle.js", "name": "none"}


def values(rule: Rule) -> dict[str, Any]:
    return {name: EXAMPLES[name] for name in rule.arguments}


def addresses(app: Flask) -> list[tuple[str, list[str]]]:
    """Every address with its methods; those with a name in them with an example of it."""
    with app.test_request_context():
        return [
            (
                url_for(rule.endpoint, **values(rule)),
                sorted(rule.methods),
            )
            for rule in app.url_map.iter_rules()
            if rule.methods
        ]


PUBLIC = addresses(create_app(settings(), FakeModel))


@pytest.mark.parametrize(("path", "methods"), PUBLIC, ids=str)
def test_options_names_the_methods_and_sends_nothing(
    client: FlaskClient, path: str, methods: list[str]
) -> None:
    answer = client.options(path)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Allow"] == ", ".join(methods)
    assert "Content-Type" not in answer.headers
    assert "Content-Length" not in answer.headers


@pytest.mark.parametrize("path", [path for path, methods in PUBLIC if "GET" in methods])
def test_head_is_get_without_the_body(client: FlaskClient, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.data) == (get.status_code, b"")
    changing = {"X-Request-ID", "Date"}
    assert {name: text for name, text in head.headers if name not in changing} == {
        name: text for name, text in get.headers if name not in changing
    }
    assert int(head.headers["Content-Length"]) == len(get.data)


@pytest.mark.parametrize(
    ("method", "path", "methods"),
    [
        (method, path, methods)
        for path, methods in PUBLIC
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")
        if method not in methods
    ],
    ids=str,
)
def test_any_other_method_is_refused_with_the_right_ones(
    client: FlaskClient, method: str, path: str, methods: list[str]
) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == 405
    assert answer.content_type == MEDIA_TYPE
    assert answer.headers["Allow"] == ", ".join(methods)


def test_the_administrative_port_does_the_same(service: Service) -> None:
    client = create_admin_app(service).test_client()
    for path in ("/metrics", "/livez", "/readyz"):
        assert client.options(path).status_code == 204
        assert client.options(path).headers["Allow"] == "GET, HEAD, OPTIONS"
        assert client.head(path).status_code == 200
        assert client.post(path).status_code == 405
