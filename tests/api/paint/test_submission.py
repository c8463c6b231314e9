import io
import json
import os

import pytest
from werkzeug.test import EnvironBuilder

from service.api.paint.body import JSON, parse
from service.api.problems import problem_of
from service.intake import OptionsError
from service.problems import Problem


def form_of(content: bytes, style: bytes) -> tuple[bytes, str]:
    """The body and the type of a form with two files and an option."""
    files = {"content": (content, "photo.jpg"), "style": (style, "art.jpg")}
    builder = EnvironBuilder(method="POST")
    for name, (data, filename) in files.items():
        builder.files.add_file(name, io.BytesIO(data), filename)
    builder.form["size"] = "64"
    environ = builder.get_environ()
    with environ["wsgi.input"] as stream:
        return stream.read(), environ["CONTENT_TYPE"]


@pytest.mark.parametrize(
    "length", [0, 1, 64_000, 65_000, 65_400, 65_536, 66_000, 130_900, 131_072, 1_000_000]
)
def test_files_of_every_length_come_out_as_they_went_in(length: int) -> None:
    # Werkzeug holds its read buffer against the limit for text: too tight a limit refuses some of these.
    content, style = os.urandom(length), os.urandom(190_000)
    sent = parse(*form_of(content, style))
    assert (sent.content, sent.styles, sent.options.size) == (content, (style,), 64)


def refused(body: bytes) -> Problem:
    """What is wrong with a body of JSON."""
    with pytest.raises((Problem, OptionsError)) as caught:
        parse(body, JSON)
    return problem_of(caught.value)


@pytest.mark.parametrize("piece", [b"[],", b"{},", b"1,", b'"a":1,', b"["])
def test_json_of_very_many_pieces_is_refused_before_it_is_parsed(
    piece: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json, "loads", None)
    problem = refused(b'{"style_weights":[' + 1_000_000 * piece)
    assert problem.kind.status == 413
    assert "more than 4,096 brackets, commas and colons" in problem.detail


def test_json_with_a_weight_for_every_layer_is_not_too_much() -> None:
    layers = {f"conv{block}_{number}": 0.5 for block in range(1, 6) for number in range(1, 5)}
    problem = refused(json.dumps({"content_layers": layers, "style_layers": layers}).encode())
    assert problem.kind.status == 422  # there are no pictures


@pytest.mark.parametrize("name", ["content_layers", "style_layers"])
@pytest.mark.parametrize("kind", ["object", "list", "text"])
def test_very_many_layers_are_one_complaint(name: str, kind: str) -> None:
    names = [f"conv{number:x}" for number in range(1500)]
    value = {"object": dict.fromkeys(names, 1), "list": names, "text": ",".join(names)}[kind]
    problem = refused(json.dumps({name: value}).encode())
    assert [error.message for error in problem.errors if error.field == name] == [
        f"{name}: there are 1500 layers: give at most 64."
    ]


@pytest.mark.parametrize(
    "body",
    [
        b'{"' + 100_000 * b"a" + b'":1}',
        b'{"style_name":"' + 100_000 * b"a" + b'"}',
        b'{"color":"' + 100_000 * b"a" + b'"}',
        b'{"size":' + 4000 * b"9" + b"}",
        json.dumps({f"{number}" + 1000 * "a": 1 for number in range(60)}).encode(),
    ],
)
def test_an_answer_is_short_however_long_the_question_was(body: bytes) -> None:
    assert len(json.dumps(refused(body).body("id"))) < 30_000


@pytest.mark.parametrize(
    "body",
    [
        b'{"style_weights":"\\ud800"}',
        b'{"\\ud800":1}',
        b'{"style_name":"\\udfff"}',
        b'{"style_layers":{"\\ud800":1}}',
        b'{"size":' + 5000 * b"9" + b"}",
    ],
)
def test_what_no_answer_could_repeat_is_malformed(body: bytes) -> None:
    problem = refused(body)
    assert problem.kind.status == 400
    json.dumps(problem.body("id"), ensure_ascii=False).encode()


@pytest.mark.parametrize("name", ["content_layers", "style_layers"])
def test_layers_that_are_nested_very_deeply_are_no_layers(name: str) -> None:
    problem = refused(json.dumps({name: 100_000 * "["}).encode())
    assert problem.kind.status == 413  # brackets are counted wherever they are
    problem = refused(json.dumps({name: 2000 * "["}).encode())
    assert problem.kind.status == 422
    assert "is not JSON" in problem.detail
