"""X-Request-Timeout: how long a client waits."""

import json
import threading
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from devtools.events import read
from devtools.serving import FakeModel, Gate, started, wait_until
from service.api.context import Service, service_of
from service.api.paint import deadline as timeout
from tests.api.paint.test_problems import problem
from tests.api.paint.test_stylize import form, post, value


def post_within(client: FlaskClient, seconds: str, accept: str = "*/*") -> TestResponse:
    headers = {"X-Request-Timeout": seconds, "Accept": accept}
    return client.post("/stylize", data=form(), content_type="multipart/form-data", headers=headers)


@pytest.mark.parametrize("given", ["", "soon", "0", "-1", "nan", "inf", "1e999", "5 s", "1,5"])
def test_what_is_no_number_of_seconds_is_named(client: FlaskClient, given: str) -> None:
    body = problem(post_within(client, given), 422, "invalid-request")
    assert (
        body["detail"] == f'X-Request-Timeout is "{given}": give a number of seconds, 0.1 at least, like 30.'
    )
    assert body["errors"][0]["field"] == "X-Request-Timeout"


def test_the_optimisation_gets_what_the_deadline_leaves(client: FlaskClient, model: FakeModel) -> None:
    assert post_within(client, "5").status_code == 200
    limit = model.painted[0].options.time_limit
    assert limit is not None
    assert 3 < limit < 5


def test_a_client_that_waits_longer_than_the_server_allows_gets_what_it_allows() -> None:
    model = FakeModel()
    app = started(model, deadline=7.0)
    for seconds in ("1000", "7"):
        assert post_within(app.test_client(), seconds).status_code == 200
    assert post(app.test_client()).status_code == 200
    assert all((work.options.time_limit or 0) < 7 for work in model.painted)
    service_of(app).engine.stop()


def test_a_picture_that_cannot_be_begun_in_time_is_refused(
    client: FlaskClient, service: Service, model: FakeModel
) -> None:
    gate = Gate()
    model.step = gate
    thread = threading.Thread(target=post, args=(client.application.test_client(),))
    thread.start()
    assert gate.reached.wait(10)
    answer = post_within(client, "2")  # before anything is measured, a picture is thought to take 10 s
    body = problem(answer, 503, "cannot-meet-deadline")
    assert "Other requests come first and take" in body["detail"]
    assert int(answer.headers["Retry-After"]) > 5
    assert value(service, "stylize_requests_total", outcome="shed_deadline") == 1
    assert service.admission.taken == 1
    gate.opened.set()
    thread.join(10)


def test_a_deadline_that_passes_before_the_first_picture_is_504(
    client: FlaskClient, service: Service, model: FakeModel
) -> None:
    gate = Gate()
    model.step = gate
    problem(post_within(client, "0.2"), 504, "deadline-exceeded")
    gate.opened.set()
    wait_until(lambda: service.admission.taken == 0)
    assert value(service, "stylize_requests_total", outcome="deadline_exceeded") == 1
    assert value(service, "stylize_evaluations_discarded_total", reason="deadline") == 1


def test_a_picture_that_is_begun_may_come_a_little_late(client: FlaskClient, model: FakeModel) -> None:
    gate = Gate()
    model.step = lambda number: gate(number) if number == 2 else None
    answers: list[TestResponse] = []
    late = threading.Thread(target=lambda: answers.append(post_within(client, "0.2")))
    late.start()
    assert gate.reached.wait(10)
    late.join(0.5)  # longer than it has
    gate.opened.set()
    late.join(10)
    assert answers[0].status_code == 200


def test_but_no_longer_than_that(
    client: FlaskClient, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeout, "LATE_SECONDS", 0.1)
    gate = Gate()
    model.step = lambda number: gate(number) if number == 2 else None
    problem(post_within(client, "0.2"), 504, "deadline-exceeded")
    gate.opened.set()


def test_in_a_stream_it_is_the_last_event(client: FlaskClient, service: Service, model: FakeModel) -> None:
    gate = Gate()
    model.step = gate
    answer = post_within(client, "0.2", "text/event-stream")
    *_, last = read(answer.iter_encoded())
    answer.close()
    gate.opened.set()
    assert (last.name, last.data["type"]) == ("error", "/problems/deadline-exceeded")
    assert value(service, "stylize_requests_total", outcome="deadline_exceeded") == 1


def test_the_owner_of_a_key_is_told_to_wait_for_an_answer(tmp_path: Path) -> None:
    token = "0123456789abcdef0123456789abcdef"
    (tmp_path / "keys").write_text(f"shop:{token}\n")
    gate = Gate()
    app = started(FakeModel(step=gate), api_keys_file=tmp_path / "keys", max_per_key=1)

    def with_key() -> TestResponse:
        headers = {"Authorization": f"Bearer {token}"}
        return app.test_client().post(
            "/stylize", data=form(), content_type="multipart/form-data", headers=headers
        )

    first: list[TestResponse] = []
    thread = threading.Thread(target=lambda: first.append(with_key()))
    thread.start()
    assert gate.reached.wait(10)
    answer = with_key()
    problem(answer, 429, "too-many-for-key")
    assert int(answer.headers["Retry-After"]) >= 1
    assert "This key has 1 request in progress" in json.loads(answer.data)["detail"]
    gate.opened.set()
    thread.join(10)
    assert first[0].status_code == 200
    service = service_of(app)
    assert value(service, "stylize_requests_total", outcome="shed_key_limit") == 1
    service.engine.stop()


def test_batch_keys_together_are_told_to_come_again(tmp_path: Path) -> None:
    token = "0123456789abcdef0123456789abcdef"
    (tmp_path / "keys").write_text(f"nightly:{token} batch\n")
    gate = Gate()
    app = started(FakeModel(step=gate), api_keys_file=tmp_path / "keys", queue_size=1)

    def with_key() -> TestResponse:
        headers = {"Authorization": f"Bearer {token}"}
        return app.test_client().post(
            "/stylize", data=form(), content_type="multipart/form-data", headers=headers
        )

    first: list[TestResponse] = []
    thread = threading.Thread(target=lambda: first.append(with_key()))
    thread.start()
    assert gate.reached.wait(10)
    answer = with_key()  # there are two places
    problem(answer, 429, "too-many-for-key")
    assert "Batch keys have 1 request in progress together" in json.loads(answer.data)["detail"]
    gate.opened.set()
    thread.join(10)
    assert first[0].status_code == 200
    service = service_of(app)
    waits = [value(service, "stylize_queue_wait_seconds_count", priority=each) for each in ("usual", "batch")]
    assert waits == [0, 1]
    service.engine.stop()
