"""Sentences for people: what pydantic finds wrong, what was given, and what to give instead."""

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
_LONGEST_ECHO = 40


def quote(value: object) -> str:
    """The value as it was given, in one short piece."""
    try:
        text = value if isinstance(value, str) else json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = f"a {type(value).__name__}"
    text = clipped(text)
    return f'"{text}"' if isinstance(value, str) else text


def clipped(text: str, longest: int = _LONGEST_ECHO) -> str:
    """A text that is no longer than so many characters, and can be written as UTF-8."""
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    return text.encode(errors="replace").decode()  # JSON can say half a character


def expectation(schema: Mapping[str, Any]) -> str:
    """What a property of a JSON schema accepts, in words: "a whole number from 1 to 65535".

    Args:
        schema: of one property. A property that may be null is described by what else it may be.
    """
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            return expectation(choice)
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    kind = _KINDS.get(schema.get("type", ""), "another value")
    low, high = schema.get("minimum"), schema.get("maximum")
    above = schema.get("exclusiveMinimum")
    if low is not None and high is not None:
        return (
            f"{kind} from {low:g} to {high:g}" if kind != "a whole number" else f"{kind} from {low} to {high}"
        )
    if above is not None and high is not None:
        return f"{kind} above {above:g}, at most {high:g}"
    if low is not None:
        return f"{kind}, at least {low}"
    if above is not None:
        return f"{kind} above {above:g}"
    if high is not None:
        return f"{kind}, at most {high}"
    return kind


def explain(error: "ErrorDetails", name: str, schema: Mapping[str, Any]) -> str:
    """One sentence for one error: what is wrong with `name`, and what to give instead.

    Args:
        error: from `ValidationError.errors()`.
        name: what the user calls the value: an option, a variable.
        schema: JSON schema of that property.
    """
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    return f"{name} is {quote(error['input'])}: give {expectation(schema)}."


def unknown(name: str, known: Iterable[str], what: str) -> str:
    """One sentence for a name that does not exist, with the likeliest intended one."""
    known = sorted(known)
    close = difflib.get_close_matches(name[:_LONGEST_ECHO], known, n=1, cutoff=0.6)  # slow for long texts
    there = f"there are {', '.join(known)}." if len(known) != 1 else f"there is only {known[0]}."
    hint = f"did you mean {close[0]}?" if close else there
    return f"{quote(name)} is not a known {what}: {hint}"


def sentence(error: Exception) -> str:
    """An error's message, which begins small and has no full stop, as a sentence of its own."""
    message = str(error)
    return f"{message[:1].upper()}{message[1:]}."
