"""Whatever is sent, the answer is a picture or a problem, and never an error of the service."""

import json
from collections.abc import Generator

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from devtools.serving import FakeModel, picture, started
from service.api.context import service_of
from service.intake.contract import PICTURES, STYLE_NAME, StylizeOptions
from service.intake.operations import OPERATIONS, Operation
from service.problems import MEDIA_TYPE, PROBLEMS
from tests.api.paint.test_stylize import b64

NAMES = [*StylizeOptions.model_fields, *PICTURES, STYLE_NAME]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=8,
)
LAYERS = st.lists(st.sampled_from(["conv1_1", "conv4_2:0.5", "conv9_9", ":", "", "conv1_1:-1"])).map(",".join)
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
often = hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def client() -> Generator[FlaskClient, None, None]:
    app = started(FakeModel(evaluations=1), max_pixels=5000, max_size=64)
    yield app.test_client()
    service_of(app).engine.stop()


def check(answer: TestResponse) -> None:
    if answer.status_code == 200:
        assert answer.data
        return
    assert answer.content_type == MEDIA_TYPE
    problem = json.loads(answer.data)
    kind = PROBLEMS[problem["type"].removeprefix("/problems/")]
    assert kind.status == answer.status_code < 500
    assert problem["detail"]


@each_operation
@often
@given(
    options=st.dictionaries(
        st.sampled_from(NAMES) | st.text(st.characters(), max_size=9), JSON | LAYERS, max_size=5
    )
)
def test_any_json_object(client: FlaskClient, operation: Operation, options: dict[str, object]) -> None:
    body = {name: b64(picture()) for name in operation.pictures} | options
    check(client.post(operation.path, data=json.dumps(body), content_type="application/json"))


@often
@given(data=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_as_json(client: FlaskClient, data: bytes) -> None:
    check(client.post("/stylize", data=data, content_type="application/json"))


@each_operation
@often
@given(
    parts=st.lists(
        st.tuples(
            st.sampled_from(NAMES) | st.text(max_size=9),
            st.none() | st.text(max_size=9),
            st.binary(max_size=40) | st.sampled_from([picture(), b"64", b"0.5", b"conv1_1"]),
        ),
        max_size=6,
    )
)
def test_any_form(
    client: FlaskClient, operation: Operation, parts: list[tuple[str, str | None, bytes]]
) -> None:
    def part(name: str, filename: str | None, data: bytes) -> bytes:
        head = f'Content-Disposition: form-data; name="{name}"'
        head += "" if filename is None else f'; filename="{filename}"'
        return b"--xyz\r\n" + head.encode("utf-8", "surrogatepass") + b"\r\n\r\n" + data + b"\r\n"

    body = b"".join(part(*each) for each in parts) + b"--xyz--\r\n"
    environ = {"CONTENT_TYPE": "multipart/form-data; boundary=xyz"}
    check(client.post(operation.path, data=body, environ_overrides=environ))


@often
@given(data=st.binary(max_size=300))
def test_any_bytes_as_a_form(client: FlaskClient, data: bytes) -> None:
    environ = {"CONTENT_TYPE": "multipart/form-data; boundary=a"}
    check(client.post("/stylize", data=data.replace(b"\n", b"\r\n--a"), environ_overrides=environ))


@often
@given(value=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60))
def test_any_accept_header(client: FlaskClient, value: str) -> None:
    body = json.dumps({"content": b64(picture()), "style": b64(picture())})
    check(client.post("/stylize", data=body, content_type="application/json", headers={"Accept": value}))


@pytest.mark.parametrize(
    "body",
    [
        '{"\\ud800": 1}',
        '{"size": "\\ud800"}',
        '{"style_layers": "\\ud800"}',
        '{"size": ' + "[" * 900 + "]" * 900 + "}",
        '{"style_layers": ' + "[" * 900 + "]" * 900 + "}",
        '{"seed": ' + "9" * 5000 + "}",
        '{"seed": 1e999}',
        '{"style_layers": {"conv1_1": 1e999}}',
        '{"content": "\\ud800"}',
        '{"style": {"a": 1}}',
    ],
)
def test_json_at_the_limits_of_json(client: FlaskClient, body: str) -> None:
    check(client.post("/stylize", data=body, content_type="application/json"))
