"""openapi.yaml says which values an option may have; a form and JSON take those and no others."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from service.intake.contract import StylizeOptions, parse_options
from service.intake.errors import OptionsError
from tests.contract.test_openapi import SCHEMAS, resolved

# Layers may be any text as far as a schema can say.
OPTIONS: dict[str, dict[str, Any]] = {
    name: resolved(SCHEMAS[name]) for name in StylizeOptions.model_fields if not name.endswith("_layers")
}
BOUNDS = [
    value
    for each in OPTIONS.values()
    for bound in ("minimum", "maximum", "exclusiveMinimum")
    if (value := each.get(bound)) is not None
]
NUMBERS = st.one_of(
    st.sampled_from(BOUNDS).flatmap(
        lambda at: st.sampled_from([at, at - 1, at + 1, at / 2, float(at), at + 0.5])
    ),
    st.integers(-10, 5000),
    st.integers(-10, 5000).map(float),
    st.floats(-1e7, 1e7),
)
WORDS = st.sampled_from([word for each in OPTIONS.values() for word in each.get("enum", ())])


def accepted(name: str, value: object, *, text: bool) -> bool:
    try:
        parse_options({name: value}, text=text)
    except OptionsError:
        return False
    return True


def allowed(name: str, value: object) -> bool:
    return Draft202012Validator(OPTIONS[name]).is_valid(value)


def value_of(name: str, data: Any) -> Any:
    return data.draw(st.lists(NUMBERS, max_size=9) if name == "style_weights" else NUMBERS | WORDS)


@pytest.mark.parametrize("name", OPTIONS)
@given(data=st.data())
@settings(deadline=None, max_examples=50)
def test_json_takes_what_the_schema_allows(name: str, data: Any) -> None:
    value = (
        data.draw(st.one_of(st.none(), st.booleans(), st.text(max_size=5)))
        if data.draw(st.booleans())
        else value_of(name, data)
    )
    assert accepted(name, value, text=False) == allowed(name, value)


@pytest.mark.parametrize("name", OPTIONS)
@given(data=st.data())
@settings(deadline=None, max_examples=50)
def test_a_form_takes_the_same_as_text(name: str, data: Any) -> None:
    value = value_of(name, data)
    text = value if isinstance(value, str) else json.dumps(value)
    assert accepted(name, text, text=True) == allowed(name, value)
