"""What is known about the artworks besides their pictures: one table for each in styles.toml."""

import tomllib
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from service.messages import quote, unknown

CREDITS_FILE = "styles.toml"


class CreditsError(Exception):
    """The file cannot be read at all; the message is one sentence."""


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str, Field(min_length=1, max_length=500)]


class Credits(BaseModel):
    """Title and origin of an artwork. None: not known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Text | None = None
    artist: Text | None = None
    year: Annotated[Text, BeforeValidator(_text)] | None = None
    licence: Text | None = None
    source: Text | None = None


def parse_credits(text: str) -> tuple[dict[str, Credits], list[str]]:
    """Credits by the names of artworks, and one sentence for each line that does not count.

    Raises:
        CreditsError: it is not TOML.
    """
    try:
        tables: Mapping[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CreditsError(f"{CREDITS_FILE} is not TOML ({error}): correct it.") from None
    found: dict[str, Credits] = {}
    left_out = []
    for name, table in tables.items():
        if not isinstance(table, dict):
            left_out.append(
                f"{CREDITS_FILE}: {quote(name)} is not a table: write [{name}] and title = ... below it."
            )
            continue
        good = dict(table)
        try:
            Credits.model_validate(table)
        except ValidationError as error:
            for detail in error.errors():
                field = str(detail["loc"][0])
                good.pop(field, None)
                left_out.append(f"{CREDITS_FILE}, [{name}]: {_complaint(field, detail['input'])}")
        found[name] = Credits.model_validate(good)
    return found, left_out


def _complaint(field: str, value: object) -> str:
    if field not in Credits.model_fields:
        return unknown(field, Credits.model_fields, "field of an artwork")
    return f"{field} is {quote(value)}: give a text of 1 to 500 characters."
