import base64
import io
import json
import logging
import threading
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from devtools.serving import FakeModel, Gate, picture, wait_until
from service.api.context import Service
from service.engine.engine import State

Parts = dict[str, Any]


def file(data: bytes, name: str = "picture.png") -> tuple[io.BytesIO, str]:
    return io.BytesIO(data), name


def form(**fields: object) -> Parts:
    """A photograph, an artwork, and options."""
    parts: Parts = {"content": file(picture()), "style": file(picture(color="orange"))}
    return parts | {
        name: value if isinstance(value, list | tuple) else str(value) for name, value in fields.items()
    }


def post(
    client: FlaskClient,
    parts: Parts | None = None,
    *,
    accept: str | None = None,
    request_id: str | None = None,
) -> TestResponse:
    headers = {"Accept": accept, "X-Request-ID": request_id}
    return client.post(
        "/stylize",
        data=form() if parts is None else parts,
        content_type="multipart/form-data",
        headers={name: value for name, value in headers.items() if value is not None},
    )


def post_json(client: FlaskClient, **fields: object) -> TestResponse:
    body = {"content": b64(picture()), "style": b64(picture())} | fields
    return client.post("/stylize", json={name: value for name, value in body.items() if value is not ...})


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def opened(answer: TestResponse) -> Image.Image:
    image = Image.open(io.BytesIO(answer.data))
    image.load()
    return image


def value(service: Service, name: str, **labels: str) -> float:
    found = service.metrics.registry.get_sample_value(name, labels)
    assert found is not None, f"there is no {name}{labels}"
    return found


def test_a_photograph_and_an_artwork_become_a_picture(client: FlaskClient, model: FakeModel) -> None:
    answer = post(client)
    assert answer.status_code == 200
    assert answer.content_type == "image/png"
    assert opened(answer).size == (256, 192)  # 40x30, enlarged to the usual size
    assert opened(answer).getpixel((9, 9)) == (0, 128, 128)
    assert model.painted[0].styles[0][:, 0, 0].tolist() == [255, 165, 0]


def test_the_answer_says_how_it_came_about(client: FlaskClient) -> None:
    answer = post(client, form(seed=42))
    assert answer.headers["X-Stylize-Seed"] == "42"
    assert answer.headers["X-Stylize-Backbone"] == "fake"
    assert answer.headers["X-Stylize-Evaluations"] == "3"
    assert answer.headers["X-Stylize-Stopped"] == "iterations"
    assert answer.headers["Cache-Control"] == "no-store"
    stages = [stage.partition(";dur=") for stage in answer.headers["Server-Timing"].split(", ")]
    assert [stage for stage, _, _ in stages] == ["queue", "decode", "optimise", "encode"]
    assert all(float(milliseconds) >= 0 for _, _, milliseconds in stages)


def test_a_seed_is_reported_and_used_and_0_unless_given(client: FlaskClient, model: FakeModel) -> None:
    seeds = [int(post(client, form(**given)).headers["X-Stylize-Seed"]) for given in ({}, {"seed": 5})]
    assert seeds == [0, 5]
    assert [work.options.seed for work in model.painted] == seeds


def test_options_reach_the_optimiser(client: FlaskClient, model: FakeModel) -> None:
    parts = form(
        size=64,
        style_layers="conv1_1,conv2_1:0.5",
        style_weights="3,1",
        color="content-luminance",
        tv_weight=0.1,
        pooling="max",
        iterations=9,
    )
    parts["style"] = [file(picture(color="red")), file(picture(color="blue"))]
    assert post(client, parts).status_code == 200
    options = model.painted[0].options
    assert options.size == 64
    assert options.style_layers == {"conv1_1": 1, "conv2_1": 0.5}
    assert options.style_blend == (3, 1)
    assert (options.color, options.tv_weight) == ("content-luminance", 0.1)
    assert options.pooling == "max"
    assert options.iterations == 9
    assert options.budget is None
    assert options.time_limit == 60
    assert [style[:, 0, 0].tolist() for style in model.painted[0].styles] == [[255, 0, 0], [0, 0, 255]]


def test_large_pictures_are_shrunk_before_they_wait(client: FlaskClient, model: FakeModel) -> None:
    parts = form(size=64, style_scale=0.5)
    parts["content"], parts["style"] = file(picture(1200, 600)), file(picture(900, 900))
    assert post(client, parts).status_code == 200
    (work,) = model.painted
    assert work.content.shape == (3, 256, 512), (
        "as for all sizes up to 512 px, which then begin with the same pixels"
    )
    assert [style.shape for style in work.styles] == [(3, 256, 256)]


def test_json_is_the_same_with_base64(client: FlaskClient, model: FakeModel) -> None:
    answer = post_json(
        client, style=[b64(picture(color="red")), b64(picture())], size=48, style_layers=["conv3_1"]
    )
    assert answer.status_code == 200
    assert opened(answer).size == (48, 36)
    assert len(model.painted[0].styles) == 2
    assert model.painted[0].options.style_layers == {"conv3_1": 1}


def test_a_picture_in_json_may_be_a_data_url_as_browsers_make_them(client: FlaskClient) -> None:
    assert post_json(client, content="data:image/png;base64," + b64(picture())).status_code == 200


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "image/png"),
        ("image/*", "image/png"),
        ("image/jpeg", "image/jpeg"),
        ("image/webp", "image/webp"),
        ("image/avif", "image/avif"),
        ("image/webp;q=0.5, image/jpeg", "image/jpeg"),
        ("image/jpeg, */*;q=0.8", "image/jpeg"),
        ("text/html, image/webp;q=0.9, */*;q=0.1", "image/webp"),
        ("application/json, text/plain, */*", "application/json"),
        ("application/json;charset=utf-8", "application/json"),
        ("application/*", "application/json"),
        ("IMAGE/WEBP", "image/webp"),
        ("image/png;q=0, image/*", "image/jpeg"),
        ("*/*, image/png;q=0.5, image/jpeg;q=0.5", "image/webp"),
        ("image/*;q=0.5, image/avif;q=0.6, image/jpeg;q=0", "image/avif"),
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "image/webp"),
        ("image/gif, image/jpeg;q=0.001", "image/jpeg"),
        ("image/webp;q=high, */*;q=0.1", "image/png"),
        ("", "image/png"),
    ],
)
def test_the_accept_header_chooses_the_format(client: FlaskClient, accept: str, media_type: str) -> None:
    answer = post(client, accept=accept)
    assert answer.status_code == 200
    assert answer.content_type == media_type
    assert answer.headers["Vary"] == "Accept"
    if media_type != "application/json":
        assert f"image/{(opened(answer).format or '').lower()}" == media_type


def test_without_an_accept_header_it_is_png(client: FlaskClient) -> None:
    assert post(client).content_type == "image/png"


def test_the_option_format_goes_before_the_accept_header(client: FlaskClient) -> None:
    answer = post(client, form(format="webp", quality=50), accept="image/png")
    assert answer.content_type == "image/webp"
    assert opened(answer).format == "WEBP"


def test_json_holds_the_picture_and_a_report(client: FlaskClient) -> None:
    answer = post(client, form(format="jpeg", seed=5, strength=0.5), accept="application/json")
    report = answer.get_json()
    assert Image.open(io.BytesIO(base64.b64decode(report["image"]))).format == "JPEG"
    assert report["media_type"] == "image/jpeg"
    assert (report["width"], report["height"]) == (256, 192)
    assert report["request_id"] == answer.headers["X-Request-ID"]
    assert report["seed"] == 5
    assert report["backbone"] == {"name": "fake", "note": "it only fills the picture with one colour"}
    assert report["evaluations"] == 3
    assert report["stopped"] == "iterations"
    assert report["losses"] == {
        "content": 1.5,
        "style": 2.5,
        "variation": 0.0,
        "anchor": 0.0,
        "total": 4.0,
        "layers": {"content/conv4_2": 1.5, "style/conv1_1": 2.5},
    }
    assert set(report["timings"]) == {"queue", "decode", "optimise", "encode"}
    assert report["settings"]["content_weight"] == pytest.approx(1e-3)
    assert report["settings"]["format"] == "jpeg"


def test_the_settings_of_a_picture_that_the_photograph_shows_through_make_it_again(
    client: FlaskClient,
) -> None:
    used = post(client, form(strength=0.07), accept="application/json").get_json()["settings"]
    assert used["strength"] == 0.07
    assert "content_weight" not in used
    assert post_json(client, **used).status_code == 200


@pytest.mark.parametrize("image_format", ["png", "webp", "avif"])
def test_the_transparency_of_the_photograph_comes_back(client: FlaskClient, image_format: str) -> None:
    photograph = Image.new("RGBA", (40, 30), "teal")
    photograph.paste((0, 0, 0, 0), (0, 0, 20, 30))
    buffer = io.BytesIO()
    photograph.save(buffer, "png")
    answer = opened(post(client, form(format=image_format) | {"content": file(buffer.getvalue())}))
    assert answer.mode == "RGBA"
    alpha = answer.getchannel("A")
    assert (alpha.getpixel((30, 90)), alpha.getpixel((220, 90))) == (0, 255)


def test_a_field_that_was_left_empty_in_a_web_form_was_not_given(
    client: FlaskClient, model: FakeModel
) -> None:
    assert post(client, form(size="", strength=" ")).status_code == 200
    assert model.painted[0].options.size == 256


def test_the_request_id_is_the_callers(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answer = post(client, request_id="checkout-4711_a.b")
    assert answer.headers["X-Request-ID"] == "checkout-4711_a.b"
    assert "checkout-4711_a.b" in [getattr(record, "request_id", None) for record in caplog.records]


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, 'quo"te', "ünï"])
def test_a_request_id_that_could_harm_a_log_is_replaced(client: FlaskClient, given: str) -> None:
    answer = post(client, request_id=given)
    assert answer.headers["X-Request-ID"] != given
    assert len(answer.headers["X-Request-ID"]) == 32


def test_each_request_is_one_line_of_the_log(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "stylize.request")
    post(client, form(seed=3))
    (line,) = [vars(record) for record in caplog.records if record.name == "stylize.request"]
    assert (line["method"], line["route"], line["status"], line["outcome"]) == ("POST", "/stylize", 200, "ok")
    assert (line["seed"], line["backbone"], line["evaluations"], line["stopped"]) == (
        3,
        "fake",
        3,
        "iterations",
    )
    assert set(line["stages"]) == {"read_body", "decode", "queue", "optimise", "encode"}
    assert line["size"] == "256x192"
    assert line["body_bytes"] > 0
    assert line["answer_bytes"] > 0


def test_a_full_house_refuses_before_it_reads_the_body(
    client: FlaskClient, service: Service, model: FakeModel
) -> None:
    tickets = [service.admission.admit() for _ in range(service.settings.places)]

    class Unread(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise AssertionError("the body was read")

    environ = {
        "wsgi.input": Unread(),
        "CONTENT_LENGTH": "1000",
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
    }
    answer = client.post("/stylize", environ_overrides=environ)
    assert answer.status_code == 429
    problem = json.loads(answer.data)
    assert problem["type"] == "/problems/queue-full"
    assert int(answer.headers["Retry-After"]) >= 1
    assert f"in {answer.headers['Retry-After']} seconds" in problem["detail"]
    assert value(service, "stylize_requests_total", outcome="shed_queue_full") == 1
    tickets[0].__exit__(None, None, None)
    assert post(client).status_code == 200
    assert len(model.painted) == 1


def test_a_service_that_is_not_ready_says_so(
    client: FlaskClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.engine, "_state", State.WARMING)
    answer = post(client)
    assert answer.status_code == 503
    assert json.loads(answer.data)["type"] == "/problems/not-ready"
    assert "warming" in json.loads(answer.data)["detail"]
    assert int(answer.headers["Retry-After"]) >= 1


def test_while_it_drains_those_who_are_connected_are_served(client: FlaskClient, service: Service) -> None:
    service.engine.drain()
    assert client.get("/readyz").status_code == 503
    assert post(client).status_code == 200


@pytest.mark.parametrize("wrong", [{"size": "1"}, {"content": file(b"text")}, {"style": file(b"")}])
def test_a_request_that_turns_out_to_be_wrong_gives_its_place_back(
    client: FlaskClient, service: Service, wrong: Parts
) -> None:
    assert post(client, form() | wrong).status_code in (415, 422)
    assert service.admission.taken == 0


def test_an_error_of_the_optimisation_shows_nothing_and_the_next_request_works(
    client: FlaskClient, model: FakeModel, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(_: int) -> None:
        raise RuntimeError("secret path /root")

    model.step = explode
    answer = post(client, request_id="broken-one")
    assert answer.status_code == 500
    assert answer.content_type == "application/problem+json"
    assert b"secret" not in answer.data
    assert "secret path /root" in caplog.text
    assert "broken-one" in [getattr(record, "request_id", None) for record in caplog.records]
    assert value(service, "stylize_requests_total", outcome="error") == 1
    model.step = lambda _: None
    assert post(client).status_code == 200


def test_requests_are_answered_while_one_is_running(
    client: FlaskClient, model: FakeModel, service: Service
) -> None:
    gate = Gate()
    model.step = gate
    answers: list[TestResponse] = []
    thread = threading.Thread(target=lambda: answers.append(post(service_client(client))))
    thread.start()
    assert gate.reached.wait(10)
    assert client.get("/readyz").status_code == 200
    assert value(service, "stylize_in_flight") == 1
    gate.opened.set()
    thread.join(10)
    assert answers[0].status_code == 200
    wait_until(lambda: value(service, "stylize_in_flight") == 0)


def service_client(client: FlaskClient) -> FlaskClient:
    """Another client of the same application; one is not for two threads."""
    return client.application.test_client()
