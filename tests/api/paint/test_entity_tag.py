"""Answers that a request determines have a name, and are not painted twice for a client that has them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from devtools.serving import FakeModel, Gate, picture, settings, started, wait_until
from service.api.app import create_app
from service.api.context import Service, service_of
from service.engine.engine import State
from tests.api.paint.test_stylize import file, form, value


def post(client: FlaskClient, parts: dict[str, Any] | None = None, **headers: str) -> TestResponse:
    return client.post(
        "/stylize",
        data=form(iterations=5) if parts is None else parts,
        content_type="multipart/form-data",
        headers={name.replace("_", "-"): text for name, text in headers.items()},
    )


def test_the_same_request_has_the_same_name_and_is_not_painted_again(
    client: FlaskClient, model: FakeModel, service: Service
) -> None:
    first = post(client)
    assert first.status_code == 200
    tag = first.headers["ETag"]
    assert tag.startswith('"')
    assert len(tag) == 34
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = post(client, If_None_Match=tag)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == tag
    assert again.headers["Cache-Control"] == "private, no-cache"
    assert again.headers["Vary"] == "Accept"
    assert "Content-Type" not in again.headers
    assert again.headers["X-Request-ID"]
    assert len(model.painted) == 1
    assert service.admission.taken == 0
    assert value(service, "stylize_requests_total", outcome="ok") == 1
    assert value(service, "stylize_requests_total", outcome="not_modified") == 1


def test_it_is_answered_while_the_engine_is_busy(client: FlaskClient, model: FakeModel, app: Flask) -> None:
    tag = post(client).headers["ETag"]
    gate = Gate()
    model.step = gate
    stream = post(app.test_client(), Accept="text/event-stream")
    assert gate.reached.wait(10)
    assert post(client, If_None_Match=tag).status_code == 304
    gate.opened.set()
    stream.close()


@pytest.mark.parametrize("names", ['"x"', "{tag}x", "*", "", '"x", "y"', "{bare}", 'W/"x"'])
def test_another_name_is_painted(client: FlaskClient, model: FakeModel, names: str) -> None:
    tag = post(client).headers["ETag"]
    names = names.format(tag=tag[:-1], bare=tag.strip('"')[:-1])
    assert post(client, If_None_Match=names).status_code == 200
    assert len(model.painted) == 2


@pytest.mark.parametrize("names", ["{tag}", "W/{tag}", '"x", {tag}', 'W/"x",W/{tag}'])
def test_it_is_found_among_others_and_compared_weakly(client: FlaskClient, names: str) -> None:
    tag = post(client).headers["ETag"]
    assert post(client, If_None_Match=names.format(tag=tag)).status_code == 304


@pytest.mark.parametrize(
    "change",
    [
        {"iterations": 6},
        {"size": 64},
        {"strength": 0.6},
        {"style_layers": "conv1_1"},
        {"content_layers": "conv3_1"},
        {"style_scale": 0.5},
        {"style_weights": "2"},
        {"pooling": "max"},
        {"color": "content-match"},
        {"tv_weight": 0.1},
        {"format": "webp"},
        {"format": "png", "quality": 50},
        {"init": "noise"},
        {"seed": 1},
        {"content": picture(color="navy")},
        {"style": picture(color="navy")},
        {"content": picture(color="orange"), "style": picture()},
    ],
)
def test_whatever_changes_the_picture_changes_its_name(client: FlaskClient, change: dict[str, Any]) -> None:
    parts = form(iterations=5) | {
        name: file(given) if isinstance(given, bytes) else str(given) for name, given in change.items()
    }
    changed = post(client, parts).headers["ETag"]
    assert changed != post(client).headers["ETag"]


def test_what_does_not_change_the_picture_does_not_change_its_name(client: FlaskClient) -> None:
    tag = post(client).headers["ETag"]
    same: list[dict[str, object]] = [
        {"seed": 0},
        {"strength": 0.5},
        {"content_weight": 0.001},
        {"format": "png"},
        {"size": 256},
    ]
    for options in same:
        assert post(client, form(iterations=5, **options)).headers["ETag"] == tag


@pytest.mark.parametrize("options", [{}, {"budget": 1}, {"iterations": 5, "budget": 1}])
def test_an_answer_that_the_clock_decides_has_no_name(client: FlaskClient, options: dict[str, Any]) -> None:
    answer = post(client, form(seed=1, **options))
    assert answer.status_code == 200
    assert "ETag" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_neither_has_one_that_the_time_limit_ended(client: FlaskClient, model: FakeModel) -> None:
    model.cut_short = True
    answer = post(client)
    assert answer.status_code == 200
    assert "ETag" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_report_has_a_weak_name_for_its_timings_differ(client: FlaskClient) -> None:
    picture_tag = post(client).headers["ETag"]
    report = post(client, Accept="application/json")
    assert report.headers["ETag"].startswith('W/"')
    assert picture_tag not in report.headers["ETag"]
    assert post(client, Accept="application/json", If_None_Match=report.headers["ETag"]).status_code == 304
    assert post(client, Accept="application/json", If_None_Match=picture_tag).status_code == 200


def test_events_have_no_name(client: FlaskClient) -> None:
    tag = post(client).headers["ETag"]
    answer = post(client, Accept="text/event-stream", If_None_Match=tag)
    assert answer.status_code == 200
    assert "ETag" not in answer.headers
    assert b"event: result" in answer.data


@pytest.mark.parametrize("change", ["weights", "device", "arithmetic", "torch", "memory"])
def test_another_network_or_machine_gives_another_name(client: FlaskClient, change: str) -> None:
    model = FakeModel()
    setattr(model, change, {"device": "cuda", "memory": 2**30}.get(change, "other"))
    app = started(model)
    assert post(app.test_client()).headers["ETag"] != post(client).headers["ETag"]
    service_of(app).engine.stop()


def test_a_wrong_request_is_refused_whatever_it_claims_to_have(client: FlaskClient) -> None:
    tag = post(client).headers["ETag"]
    assert post(client, form(iterations=0), If_None_Match=tag).status_code == 422


@pytest.fixture
def real(vgg16_dir: Path) -> Callable[..., Flask]:
    def real(**changes: object) -> Flask:
        app = create_app(settings(weights_dir=vgg16_dir, backbone="vgg16", device="cpu", **changes))
        service_of(app).engine.start()
        wait_until(lambda: service_of(app).engine.state is State.READY)
        return app

    return real


@pytest.mark.weights
def test_the_real_network_gives_the_same_bytes_under_the_same_name(real: Callable[..., Flask]) -> None:
    app = real()
    answers = [post(app.test_client(), form(size=96, iterations=9)) for _ in range(2)]
    service_of(app).engine.stop()
    assert answers[0].headers["ETag"] == answers[1].headers["ETag"]
    assert answers[0].data == answers[1].data


@pytest.mark.weights
def test_the_real_network_names_nothing_that_the_time_limit_ended(real: Callable[..., Flask]) -> None:
    app = real(max_budget=0.001)
    answer = post(app.test_client(), form(size=96, iterations=9))
    service_of(app).engine.stop()
    assert answer.headers["X-Stylize-Stopped"] == "budget-too-small"
    assert "ETag" not in answer.headers
