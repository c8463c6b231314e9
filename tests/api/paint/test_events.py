"""Accept: text/event-stream."""

import base64
import io
import json
import logging
import time
from collections.abc import Callable, Generator, Iterator

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from devtools.events import Event, read
from devtools.serving import WORK, FakeModel, Gate, Turnstile, picture, wait_until
from service.api.context import Service
from service.api.paint import events
from service.api.paint.events import KEEP_ALIVE_SECONDS, PREVIEW_SECONDS, PREVIEW_SIZE, PROGRESS_SECONDS
from service.api.paint.report import StylizeReport
from service.api.record import record
from service.engine.engine import State
from service.engine.watch import Watch
from service.images import decode
from service.intake.preparation import Delivery
from service.style.options import Options
from service.style.work import Work
from tests.api.paint.test_stylize import file, form, opened, post, value

STREAM = "text/event-stream"


def following(answer: TestResponse) -> Iterator[Event]:
    """The events of an answer, each as it comes."""
    assert answer.status_code == 200, answer.data
    return read(answer.iter_encoded())


def next_of(stream: Iterator[Event], name: str) -> Event:
    return next(event for event in stream if event.name == name)


class Ticking:
    """A clock that moves on a little whenever somebody looks at it."""

    def __init__(self, seconds: float) -> None:
        self.now = 0.0
        self._seconds = seconds

    def __call__(self) -> float:
        self.now += self._seconds
        return self.now


Begin = Callable[[Ticking], Response]


@pytest.fixture
def begin(app: Flask, service: Service) -> Generator[Begin, None, None]:
    """Begins a stream with a clock of the test's own."""
    photograph = decode(picture())

    def begin(clock: Ticking) -> Response:
        watch = Watch()
        delivery = Delivery(Options(size=64), "png", None)
        with service.admission.admit() as ticket:
            job = ticket.submit(Work(photograph.rgb, [], delivery.options), "test", watch)
        return events.respond(service, delivery, job, watch, clock)

    with app.test_request_context("/stylize", method="POST"):
        app.preprocess_request()
        record().stages["decode"] = 0.0
        yield begin


def test_a_stream_tells_how_it_goes_and_ends_with_the_picture(client: FlaskClient, model: FakeModel) -> None:
    turnstile = Turnstile()
    model.step = turnstile
    answer = post(client, form(size=64, seed=7), accept=STREAM, request_id="mine")
    stream = following(answer)
    assert next(stream) == Event("queued", {"request_id": "mine", "position": 0, "seconds": 0.0})
    turnstile.let_through()
    progress = next_of(stream, "progress").data
    assert progress == {
        "fraction": pytest.approx(1 / 3),
        "evaluations": 1,
        "loss": 1.0,
        "seconds_left": None,  # unknown
        "width": 64,
        "height": 48,
    }
    turnstile.let_through()
    assert next_of(stream, "progress").data["seconds_left"] == 1.5
    turnstile.let_through()
    *_, last = stream
    assert last.name == "result"
    report = StylizeReport.model_validate(last.data)
    assert (report.request_id, report.seed, report.evaluations) == ("mine", 7, 3)
    model.step = lambda _: None
    assert base64.b64decode(report.image) == post(client, form(size=64, seed=7)).data


def test_its_headers_keep_it_flowing_and_out_of_caches(client: FlaskClient) -> None:
    answer = post(client, form(seed=7), accept=STREAM)
    assert answer.content_type == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Vary"] == "Accept"
    assert answer.headers["X-Stylize-Seed"] == "7"
    assert answer.headers["X-Stylize-Backbone"] == "fake"
    assert "Content-Length" not in answer.headers
    assert [event.name for event in following(answer)].count("result") == 1


def test_each_change_of_the_place_in_the_queue_is_told(
    client: FlaskClient, model: FakeModel, service: Service
) -> None:
    turnstile = Turnstile()
    model.step = turnstile
    others = [service.engine.queue.submit(WORK, "other", lambda _: None) for _ in range(2)]
    wait_until(lambda: service.engine.queue.ahead_of(others[0]) == 0)
    stream = following(post(client, accept=STREAM))
    assert next(stream).data["position"] == 2
    turnstile.let_through(model.evaluations)
    assert next(stream).data["position"] == 1
    turnstile.let_through(model.evaluations)
    assert next(stream).data["position"] == 0
    turnstile.let_through(model.evaluations)
    assert [event.name for event in stream][-1] == "result"


def test_previews_are_small_jpegs_made_by_the_engine_for_those_who_watch(
    client: FlaskClient, model: FakeModel
) -> None:
    assert post(client, form(size=512)).status_code == 200
    assert post(client, form(size=512), accept="application/json").status_code == 200
    assert model.previews == []
    turnstile = Turnstile()
    model.step = turnstile
    stream = following(post(client, form(size=512), accept=STREAM))
    next(stream)
    turnstile.let_through()
    preview = next_of(stream, "preview").data
    assert preview["media_type"] == "image/jpeg"
    image = Image.open(io.BytesIO(base64.b64decode(preview["image"])))
    assert (image.format, image.size) == ("JPEG", (PREVIEW_SIZE, PREVIEW_SIZE * 3 // 4))
    assert (preview["width"], preview["height"]) == image.size
    assert model.previews == ["engine"]
    turnstile.let_through(2)
    assert [event.name for event in stream][-1] == "result"


def test_a_transparent_photograph_is_previewed_on_white(client: FlaskClient, model: FakeModel) -> None:
    turnstile = Turnstile()
    model.step = turnstile
    buffer = io.BytesIO()
    photograph = Image.new("RGBA", (40, 30), (200, 0, 0, 0))
    photograph.paste((0, 0, 200, 255), (30, 0, 40, 30))
    photograph.save(buffer, "png")
    stream = following(post(client, form() | {"content": file(buffer.getvalue())}, accept=STREAM))
    turnstile.let_through()
    preview = Image.open(io.BytesIO(base64.b64decode(next_of(stream, "preview").data["image"])))
    assert preview.getpixel((5, 5)) == (255, 255, 255)
    turnstile.let_through(2)
    assert [event.name for event in stream][-1] == "result"


def test_progress_and_previews_come_no_faster_than_announced(model: FakeModel, begin: Begin) -> None:
    model.evaluations = 1000
    model.step = lambda _: time.sleep(0.002)  # longer than a dozen looks of the stream
    clock = Ticking(PROGRESS_SECONDS / 4)
    times: dict[str, list[float]] = {name: [] for name in ("queued", "progress", "preview", "result")}
    for event in read(begin(clock).iter_encoded()):
        times[event.name].append(clock.now)
    for name, least in (("progress", PROGRESS_SECONDS), ("preview", PREVIEW_SECONDS)):
        gaps = [after - before for before, after in zip(times[name], times[name][1:], strict=False)]
        assert gaps
        assert min(gaps) >= least - 1e-9


def test_a_comment_keeps_the_connection_alive_while_nothing_happens(model: FakeModel, begin: Begin) -> None:
    gate = Gate()
    model.step = gate
    clock = Ticking(KEEP_ALIVE_SECONDS / 4)
    stream = read(begin(clock).iter_encoded(), comments=True)
    assert next(stream).name == "queued"
    begun = clock.now
    for number in (1, 2):
        assert next(stream) == Event("comment", "keep-alive")
        assert clock.now == begun + number * KEEP_ALIVE_SECONDS
    gate.opened.set()
    assert [event.name for event in stream][-1] == "result"


def test_a_reader_that_does_not_read_holds_nobody_up_and_misses_only_what_is_past(
    client: FlaskClient, model: FakeModel, service: Service
) -> None:
    model.evaluations = 1000
    stream = following(post(client, accept=STREAM))
    assert next(stream).name == "queued"
    wait_until(lambda: service.admission.taken == 0)  # it has been painted, though nobody looked
    assert [event.name for event in stream] == ["result"]
    assert len(model.previews) <= 1


def test_an_error_of_the_optimisation_is_the_last_event_and_shows_nothing(
    client: FlaskClient, model: FakeModel, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def explode(_: int) -> None:
        raise RuntimeError("secret path /root")

    model.step = explode
    answer = post(client, accept=STREAM, request_id="broken-one")
    *_, last = following(answer)
    assert last.name == "error"
    assert last.data == {
        "type": "/problems/internal-error",
        "title": "Something went wrong in the service",
        "status": 500,
        "detail": "The error has been logged under this request_id. The same request may work if you send it again.",
        "request_id": "broken-one",
    }
    answer.close()
    assert value(service, "stylize_requests_total", outcome="error") == 1
    (line,) = [vars(record) for record in caplog.records if record.name == "stylize.request"]
    assert (line["outcome"], line["problem"], line["status"]) == ("error", "internal-error", 200)
    model.step = lambda _: None
    assert post(client).status_code == 200


def test_an_error_of_the_encoding_is_the_last_event_too(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> bytes:
        raise RuntimeError("secret path /root")

    monkeypatch.setattr("service.api.paint.answer.deliver", fail)
    *_, last = following(post(client, accept=STREAM))
    assert (last.name, last.data["type"]) == ("error", "/problems/internal-error")
    assert "secret path /root" in caplog.text


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"size": "1"}, 422), ({"content": file(b"text")}, 415), ({"style": file(picture(1, 1))}, 422)],
)
def test_what_is_wrong_from_the_start_is_an_ordinary_problem(
    client: FlaskClient, service: Service, wrong: dict[str, object], status: int
) -> None:
    answer = post(client, form() | wrong, accept=STREAM)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert service.admission.taken == 0


def test_a_full_house_and_one_that_is_not_ready_refuse_streams_like_anything_else(
    client: FlaskClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = [service.admission.admit() for _ in range(service.settings.places)]
    full = post(client, accept=STREAM)
    assert (full.status_code, full.content_type) == (429, "application/problem+json")
    tickets[0].__exit__(None, None, None)
    monkeypatch.setattr(service.engine, "_state", State.WARMING)
    assert post(client, accept=STREAM).status_code == 503


@pytest.mark.parametrize("events_read", [0, 1, 2])
def test_a_stream_that_is_closed_gives_its_job_up_and_counts_as_gone(
    client: FlaskClient,
    model: FakeModel,
    service: Service,
    caplog: pytest.LogCaptureFixture,
    events_read: int,
) -> None:
    caplog.set_level(logging.INFO)
    turnstile = Turnstile()
    model.step = turnstile
    answer = post(client, accept=STREAM)
    pieces = answer.iter_encoded()
    turnstile.let_through()
    for _ in range(events_read):
        next(pieces)
    wait_until(lambda: value(service, "stylize_evaluations_total") == 1)
    answer.close()
    assert service.admission.taken == 1  # only the engine gives the place back
    turnstile.let_through()
    wait_until(lambda: service.admission.taken == 0)
    assert model.closed == 1
    assert value(service, "stylize_evaluations_discarded_total", reason="client_gone") == 2
    assert value(service, "stylize_requests_total", outcome="client_gone") == 1
    labels = {"route": "/stylize", "method": "POST", "code": "499"}
    assert value(service, "stylize_http_requests_total", **labels) == 1
    (line,) = [vars(record) for record in caplog.records if record.name == "stylize.request"]
    assert (line["status"], line["outcome"]) == (499, "client_gone")


def test_the_line_of_the_log_is_written_once_at_the_end(
    client: FlaskClient, model: FakeModel, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "stylize.request")
    gate = Gate()
    model.step = gate
    answer = post(client, form(seed=3), accept=STREAM)
    stream = following(answer)
    next(stream)
    assert not caplog.records
    gate.opened.set()
    assert next_of(stream, "result")
    assert list(stream) == []
    answer.close()
    (line,) = [vars(record) for record in caplog.records]
    assert (line["status"], line["outcome"], line["seed"], line["evaluations"]) == (200, "ok", 3, 3)
    assert set(line["stages"]) == {"read_body", "decode", "queue", "optimise", "encode"}
    assert line["answer_bytes"] > 0
    assert value(service, "stylize_requests_total", outcome="ok") == 1


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("text/event-stream", STREAM),
        ("text/*", STREAM),
        ("text/event-stream, */*;q=0.1", STREAM),
        ("application/json;q=0.5, text/event-stream", STREAM),
        ("text/event-stream;charset=utf-8", STREAM),
        ("application/json, text/event-stream", "application/json"),
        ("text/event-stream;q=0.5, image/png", "image/png"),
        ("text/event-stream;q=0, */*", "image/png"),
        ("*/*", "image/png"),
    ],
)
def test_only_those_who_ask_for_it_first_get_a_stream(
    client: FlaskClient, accept: str, content_type: str
) -> None:
    answer = post(client, accept=accept)
    assert (answer.status_code, answer.content_type) == (200, content_type)
    assert answer.data


def test_the_format_of_the_picture_at_its_end_is_the_options(client: FlaskClient) -> None:
    *_, last = following(post(client, form(format="webp"), accept=STREAM))
    assert last.data["media_type"] == "image/webp"
    assert json.dumps(last.data["settings"])
    *_, last = following(post(client, accept=STREAM))
    assert last.data["media_type"] == "image/png"
    assert opened(post(client)).format == "PNG"
