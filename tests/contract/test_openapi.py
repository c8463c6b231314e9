"""openapi.yaml and the code say the same."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from pydantic import BaseModel

from devtools.events import read
from devtools.serving import FakeModel, Turnstile, settings, started
from service import __version__
from service.api.app import create_app
from service.api.context import service_of
from service.api.pages.docs import OPENAPI
from service.api.paint.report import (
    PreviewData,
    ProgressData,
    QueuedData,
    StyleList,
    StyleReport,
    StylizeReport,
)
from service.engine.engine import State
from service.images import MEDIA_TYPES
from service.intake.contract import MAX_STYLES, STYLE_NAME, StylizeOptions, parse_options
from service.intake.operations import OPERATIONS, RECONSTRUCT_CONTENT, RECONSTRUCT_STYLE, STYLIZE, Operation
from service.problems import MEDIA_TYPE, PROBLEMS
from service.style.options import Options
from tests.api.paint.test_stylize import post

SPEC: dict[str, Any] = yaml.safe_load(OPENAPI.read_text())
SCHEMAS: dict[str, Any] = SPEC["components"]["schemas"]
BODIES = {
    STYLIZE.path: "Stylize",
    RECONSTRUCT_CONTENT.path: "ContentReconstruction",
    RECONSTRUCT_STYLE.path: "StyleReconstruction",
}
PICTURE: dict[str, Any] = SPEC["components"]["responses"]["Picture"]
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
each_body = pytest.mark.parametrize("body", ["Form", "JSON"])


def resolved(node: Any) -> Any:
    """The node with references in it followed. Beside a reference there may be more (OpenAPI 3.1)."""
    if isinstance(node, list):
        return [resolved(item) for item in node]
    if not isinstance(node, dict):
        return node
    found: dict[str, Any] = {}
    if "$ref" in node:
        target: Any = SPEC
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        found = dict(resolved(target))
    return found | {name: resolved(value) for name, value in node.items() if name != "$ref"}


def machine_readable(schema: dict[str, Any]) -> dict[str, Any]:
    """A property's schema without words, and without what pydantic says about a value that may be missing."""
    for choice in schema.get("anyOf", []):
        if choice != {"type": "null"}:
            schema = choice
    dropped = {"title", "description"} | ({"default"} if schema.get("default") is None else set())
    return {name: value for name, value in schema.items() if name not in dropped}


def test_it_is_valid_openapi() -> None:
    validate(SPEC)


def test_its_version_is_the_packages() -> None:
    assert SPEC["info"]["version"] == __version__


def schema_of(operation: Operation, body: str) -> dict[str, Any]:
    """The schema that an operation has for its body, and for no other content type."""
    content = SPEC["paths"][operation.path]["post"]["requestBody"]["content"]
    media_type = {"Form": "multipart/form-data", "JSON": "application/json"}[body]
    assert content[media_type]["schema"] == {"$ref": f"#/components/schemas/{BODIES[operation.path]}{body}"}
    found: dict[str, Any] = SCHEMAS[f"{BODIES[operation.path]}{body}"]
    return found


@each_body
@each_operation
def test_it_has_the_options_of_the_code_and_no_others(operation: Operation, body: str) -> None:
    schema = schema_of(operation, body)
    assert set(schema["properties"]) == {*operation.options, *operation.parts}
    assert schema["additionalProperties"] is False
    assert schema.get("required", []) == [name for name in operation.pictures if name == "content"]
    either = [{"required": ["style"]}, {"required": [STYLE_NAME]}]
    assert schema.get("anyOf") == (either if "style" in operation.pictures else None)
    companions = {
        "style_mask": ["content_mask"],
        "anchor_mask": ["anchor_image"],
        "anchor_weight": ["anchor_image"],
    }
    assert schema.get("dependentRequired") == (companions if "style_mask" in operation.pictures else None)


@each_body
@each_operation
def test_each_option_has_the_type_the_default_and_the_bounds_of_the_code(
    operation: Operation, body: str
) -> None:
    properties = schema_of(operation, body)["properties"]
    for name in operation.options:
        if not name.endswith("_layers"):
            ours = machine_readable(StylizeOptions.model_json_schema()["properties"][name])
            preset = {"default": operation.preset[name]} if name in operation.preset else {}
            assert machine_readable(resolved(properties[name])) == ours | preset


@each_operation
def test_the_default_layers_are_the_codes(operation: Operation) -> None:
    properties = schema_of(operation, "JSON")["properties"]
    layers = {"content_layers", "style_layers"} & set(operation.options)
    assert layers
    for name in layers:
        assert resolved(properties[name])["default"] == getattr(StylizeOptions(), name)


@pytest.mark.parametrize(
    "value", ["conv1_1", ["conv1_1", "conv2_1:0.5"], {"conv1_1": 0.5}, [], {}, 3, {"conv1_1": -1}]
)
def test_layers_are_valid_in_both_or_in_neither(value: object) -> None:
    schema = resolved(SCHEMAS["layers"])
    described = OAS31Validator(schema).is_valid(value)
    try:
        parse_options({"style_layers": value}, text=False)
    except Exception:
        assert not described
    else:
        assert described


@pytest.mark.parametrize("name", StylizeOptions.model_fields)
def test_each_option_is_described_in_the_same_words(name: str) -> None:
    text = StylizeOptions.model_fields[name].description
    assert text
    described = resolved(SCHEMAS["StylizeForm"]["properties"][name]).get("description", "")
    if not name.endswith("_layers"):
        assert described.startswith(text)


def test_the_weights_that_it_names_as_defaults_are_the_codes() -> None:
    assert f"{Options().content_weight:g}" in ("0.001",)
    assert "1e-3 where only" in SCHEMAS["content_weight"]["description"]
    assert Options().style_weight == 1
    assert "1 where only" in SCHEMAS["style_weight"]["description"]


@each_body
@pytest.mark.parametrize("operation", [STYLIZE, RECONSTRUCT_STYLE], ids=lambda operation: operation.path)
def test_as_many_artworks_are_allowed(operation: Operation, body: str) -> None:
    for name in {"style", "style_mask", STYLE_NAME} & set(operation.parts):
        style = schema_of(operation, body)["properties"][name]
        array = style if body == "Form" else next(c for c in style["oneOf"] if c["type"] == "array")
        assert (array["minItems"], array["maxItems"]) == (1, MAX_STYLES)


def test_files_are_declared_as_the_tools_expect_them() -> None:
    for operation in OPERATIONS:
        form = schema_of(operation, "Form")["properties"]
        for name in operation.pictures:
            if name in ("style", "style_mask"):
                assert form[name]["items"] == {"type": "string", "format": "binary"}
            else:
                assert (form[name]["type"], form[name]["format"]) == ("string", "binary")


def shape(schema: dict[str, Any], definitions: dict[str, Any]) -> object:
    """Names and types of a schema; each of its fields has to be required."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return sorted(schema["enum"])
    if "anyOf" in schema:  # pydantic's words for a list of types
        return [choice["type"] for choice in schema["anyOf"]]
    if "properties" in schema:
        assert set(schema["required"]) == set(schema["properties"])
        return {name: shape(value, definitions) for name, value in schema["properties"].items()}
    return schema["type"]


@pytest.mark.parametrize("model", [StylizeReport, QueuedData, ProgressData, PreviewData])
def test_what_is_answered_has_the_fields_of_the_code(model: type[BaseModel]) -> None:
    ours = model.model_json_schema()
    assert shape(SCHEMAS[model.__name__.removesuffix("Data")], SCHEMAS) == shape(ours, ours.get("$defs", {}))


def check_event(name: str, data: object) -> None:
    """An event is one of those that are described, and its data is what that one has."""
    described = PICTURE["content"]["text/event-stream"]
    OAS31Validator(resolved(described["schema"])).validate({"event": name, "data": json.dumps(data)})
    inside = resolved(SCHEMAS[f"{name.capitalize()}Event"])["properties"]["data"]["contentSchema"]
    OAS31Validator(inside).validate(data)


def test_the_examples_of_events_are_valid_and_show_all_of_them_but_the_result() -> None:
    described = PICTURE["content"]["text/event-stream"]
    examples = [example["value"] for example in described["examples"].values()]
    for example in examples:
        check_event(example["event"], json.loads(example["data"]))
    assert [example["event"] for example in examples] == ["queued", "progress", "preview", "error"]


def test_the_events_of_a_stream_are_as_described() -> None:
    turnstile = Turnstile()
    app = started(FakeModel(step=turnstile))
    names = set()
    for event in read(post(app.test_client(), accept="text/event-stream").iter_encoded()):
        check_event(event.name, event.data)
        names.add(event.name)
        turnstile.let_through()
    service_of(app).engine.stop()
    assert names == {"queued", "progress", "preview", "result"}


def routes() -> set[tuple[str, str]]:
    app = create_app(settings(), FakeModel)
    return {
        (rule.rule.replace("<", "{").replace(">", "}"), method)
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }


def test_it_has_the_routes_of_the_application_and_no_others() -> None:
    described = {(path, method.upper()) for path, item in SPEC["paths"].items() for method in item}
    assert described == routes()


@each_operation
def test_each_operation_names_every_problem_that_it_can_end_with(operation: Operation) -> None:
    statuses = {str(kind.status) for slug, kind in PROBLEMS.items() if slug != "not-found"}
    responses = SPEC["paths"][operation.path]["post"]["responses"]
    assert set(responses) == {"200", *statuses}
    assert responses["200"] == {"$ref": "#/components/responses/Picture"}


def problem_examples() -> list[dict[str, Any]]:
    examples = []
    for response in SPEC["components"]["responses"].values():
        if MEDIA_TYPE not in response.get("content", {}):
            continue  # no problem: a picture, or not modified
        media = response["content"][MEDIA_TYPE]
        examples += (
            [media["example"]] if "example" in media else [e["value"] for e in media["examples"].values()]
        )
    return examples


@pytest.mark.parametrize("example", problem_examples(), ids=lambda example: str(example["type"]))
def test_the_example_of_a_problem_is_one_that_the_table_knows(example: dict[str, Any]) -> None:
    kind = PROBLEMS[example["type"].removeprefix("/problems/")]
    assert (example["status"], example["title"]) == (kind.status, kind.title)
    OAS31Validator(resolved(SCHEMAS["Problem"])).validate(example)


def test_every_type_of_problem_has_an_example_and_is_explained() -> None:
    assert {example["type"] for example in problem_examples()} == {kind.uri for kind in PROBLEMS.values()}
    explained = SPEC["paths"]["/problems/{slug}"]["get"]["responses"]["200"]["content"]["application/json"]
    client = create_app(settings(), FakeModel).test_client()
    assert set(explained["examples"]) == set(PROBLEMS)
    for slug, example in explained["examples"].items():
        assert client.get(f"/problems/{slug}").get_json() == example["value"]


def test_every_operation_shows_an_example_of_each_answer_that_is_text() -> None:
    for item in SPEC["paths"].values():
        for operation in item.values():
            for response in operation["responses"].values():
                for media_type, media in resolved(response).get("content", {}).items():
                    assert {"example", "examples"} & set(media) or media_type.startswith("image/")


@each_operation
@pytest.mark.parametrize("slug", ["queue-full", "not-ready"])
def test_refusals_that_pass_are_described_with_retry_after(slug: str, operation: Operation) -> None:
    status = str(PROBLEMS[slug].status)
    assert "Retry-After" in resolved(SPEC["paths"][operation.path]["post"]["responses"][status])["headers"]


def test_pictures_are_answered_in_the_formats_of_the_code() -> None:
    assert set(PICTURE["content"]) == {*MEDIA_TYPES.values(), "application/json", "text/event-stream"}


@each_operation
def test_the_examples_of_requests_are_valid(operation: Operation) -> None:
    media = SPEC["paths"][operation.path]["post"]["requestBody"]["content"]["application/json"]
    assert media["examples"]
    for example in media["examples"].values():
        OAS31Validator(resolved(schema_of(operation, "JSON"))).validate(example["value"])
        options = {name: value for name, value in example["value"].items() if name not in operation.parts}
        operation.parse(options, text=False)


def test_the_example_of_a_report_is_valid() -> None:
    example = PICTURE["content"]["application/json"]["example"]
    OAS31Validator(resolved(SCHEMAS["StylizeReport"])).validate(example)
    StylizeReport.model_validate(example)


def test_a_style_has_the_fields_of_the_code() -> None:
    ours = StyleReport.model_json_schema()
    assert set(SCHEMAS["StyleReport"]["properties"]) == set(ours["properties"])
    assert set(SCHEMAS["StyleReport"]["required"]) == set(ours["required"])
    example = SPEC["paths"]["/styles"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    OAS31Validator(resolved(SCHEMAS["StyleList"])).validate(example)
    StyleList.model_validate(example)


def test_the_states_are_the_engines() -> None:
    assert SCHEMAS["State"]["enum"] == [state.value for state in State]


def test_it_is_served_as_it_is() -> None:
    client: FlaskClient = create_app(settings(), FakeModel).test_client()
    answer = client.get("/openapi.yaml")
    assert answer.content_type == "application/yaml"
    assert answer.data == Path(OPENAPI).read_bytes()


def test_what_the_small_routes_answer_fits_its_description() -> None:
    client = create_app(settings(), FakeModel).test_client()
    for path, slug in [
        ("/", None),
        ("/version", None),
        ("/styles", None),
        ("/readyz", None),
        ("/problems/{slug}", "queue-full"),
    ]:
        answer = client.get(path.replace("{slug}", slug or ""))
        described = SPEC["paths"][path]["get"]["responses"][str(answer.status_code)]
        schema = resolved(described["content"]["application/json"]["schema"])
        OAS31Validator(schema).validate(json.loads(answer.data))
