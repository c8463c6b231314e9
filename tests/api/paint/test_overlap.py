"""The engine's thread paints, and everything else is done on the threads of the requests, while it paints others."""

import gc
import threading
import weakref
from collections.abc import Generator
from typing import Any

import pytest
import torch
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from devtools.serving import Gate, picture, started, wait_until
from service.api.context import service_of
from service.images.delivery import deliver
from service.model.painting import PaintingModel
from service.style.copies import Copies
from service.style.network.vgg import VGG
from service.style.progress import Progress, Result
from service.style.work import Work
from tests.api.paint.test_stylize import file, form, post, value
from tests.style.conftest import thin_network

ENGINE = "engine"


class Held(PaintingModel):
    """Paints, but not before a gate has been opened."""

    gate = Gate()

    def paint(self, work: Work) -> Generator[Progress, None, Result]:
        self.gate(0)
        return (yield from super().paint(work))


@pytest.fixture(scope="module")
def network() -> VGG:
    return thin_network()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(Held, "gate", gate)
    return gate


@pytest.fixture
def app(network: VGG, gate: Gate) -> Generator[Flask, None, None]:
    model = Held(network, "vgg16", "", "", "cpu", torch.__version__)
    gate.opened.set()  # for warming up
    app = started(model)
    gate.opened.clear()
    gate.reached.clear()
    yield app
    gate.opened.set()
    service_of(app).engine.stop()


@pytest.fixture
def resizes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return noted(monkeypatch, "resize")


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return noted(monkeypatch, "save")


def noted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """The threads on which a method of Pillow's pictures is called."""
    threads: list[str] = []
    method = getattr(Image.Image, name)

    def note(*arguments: object, **more: object) -> object:
        threads.append(threading.current_thread().name)
        return method(*arguments, **more)

    monkeypatch.setattr(Image.Image, name, note)
    return threads


def asking(app: Flask, name: str, answers: list[TestResponse]) -> threading.Thread:
    """A request on a thread of this name; two pictures, two scales."""
    parts = form(size=128, iterations=4) | {
        "content": file(picture(200, 150)),
        "style": file(picture(90, 300)),
    }
    thread = threading.Thread(target=lambda: answers.append(post(app.test_client(), parts)), name=name)
    thread.start()
    return thread


def test_the_next_picture_is_prepared_while_one_is_painted_and_the_engine_resizes_and_encodes_nothing(
    app: Flask, gate: Gate, resizes: list[str], encodings: list[str]
) -> None:
    answers: list[TestResponse] = []
    first = asking(app, "first", answers)
    assert gate.reached.wait(30)
    second = asking(app, "second", answers)
    wait_until(lambda: value(service_of(app), "stylize_queue_depth") == 1)
    assert answers == [], "the first is being painted"
    assert resizes == ["first"] * 4 + ["second"] * 4, "photograph and artwork at 64 and at 128 px, all before"
    resizes.clear()
    encodings.clear()  # of the pictures that were sent
    gate.opened.set()
    for thread in (first, second):
        thread.join(60)
    assert [each.status_code for each in answers] == [200, 200]
    assert resizes == []
    assert sorted(encodings) == ["first", "second"]


@pytest.mark.parametrize("color", ["style", "content-match", "content-luminance"])
def test_whatever_is_asked_for_the_engine_only_paints(
    app: Flask, gate: Gate, resizes: list[str], encodings: list[str], color: str
) -> None:
    gate.opened.set()
    client: FlaskClient = app.test_client()
    parts = form(size=96, iterations=4, color=color, format="webp") | {
        "content": file(picture(200, 150)),
        "style": [file(picture(90, 300)), file(picture(300, 90, "navy"))],
        "content_mask": file(picture(40, 30, "red")),
        "init_image": file(picture(400, 300, "olive")),
    }
    resizes.clear()
    encodings.clear()
    stream = post(client, parts, accept="text/event-stream")
    assert b"event: result" in stream.data
    assert len(resizes) >= 8
    assert encodings
    assert ENGINE not in resizes + encodings
    assert service_of(app).engine._thread.name == ENGINE


def test_when_an_answer_is_encoded_the_copies_for_its_picture_are_gone(
    app: Flask, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.opened.set()
    made: list[weakref.ref[Copies]] = []
    left: list[int] = []
    make = Copies.__init__

    def note(self: Copies, *arguments: Any) -> None:
        made.append(weakref.ref(self))
        make(self, *arguments)

    def count(*arguments: Any) -> bytes:
        gc.collect()
        left.append(sum(each() is not None for each in made))
        return deliver(*arguments)

    monkeypatch.setattr(Copies, "__init__", note)
    monkeypatch.setattr("service.api.paint.answer.deliver", count)
    assert post(app.test_client(), form(size=128, iterations=4)).status_code == 200
    assert made
    assert left == [0]


def test_a_texture_is_prepared_too(app: Flask, gate: Gate, resizes: list[str]) -> None:
    gate.opened.set()
    parts = {"style": file(picture(200, 150)), "size": "64", "iterations": "2"}
    texture = app.test_client().post("/reconstruct/style", data=parts, content_type="multipart/form-data")
    assert texture.status_code == 200, texture.data
    assert resizes
    assert ENGINE not in resizes
