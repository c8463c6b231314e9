"""A reader of event streams, written from WHATWG HTML, section 9.2.6, and not from the code that makes them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    name: str
    data: Any


def lines_of(pieces: Iterable[bytes]) -> Iterator[str]:
    """The lines of a stream that comes in pieces."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line.decode() for line in whole)
    assert rest == b"", "the stream ends inside a line"


def read(pieces: Iterable[bytes], *, comments: bool = False) -> Iterator[Event]:
    """Its events, whose data is JSON; comments as events that are called "comment", where they are wanted."""
    name, data = "message", list[str]()
    for line in lines_of(pieces):
        if line == "":
            if data:
                yield Event(name, json.loads("\n".join(data)))
            name, data = "message", []
        elif line.startswith(":"):
            if comments:
                yield Event("comment", line.removeprefix(":").removeprefix(" "))
        else:
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
            else:
                raise AssertionError(f"{line!r} is no field that we send")
    assert not data, "the stream ends inside an event"
