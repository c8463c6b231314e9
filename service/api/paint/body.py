"""The body of a request to paint, as a form or as JSON: pictures and options, not judged yet."""

import json
from collections import Counter
from dataclasses import dataclass, field

from werkzeug.http import parse_options_header

from service.api.paint.form import MAX_PARTS, Part, TooManyPartsError, read_parts
from service.images import sniff
from service.intake import (
    MAX_STYLES,
    PICTURES,
    STYLE_NAME,
    STYLIZE,
    Operation,
    OptionsError,
    Submission,
    decode_base64,
)
from service.messages import quote, unknown
from service.problems import BODY_TOO_LARGE, MALFORMED, UNSUPPORTED_MEDIA_TYPE, FieldError, Problem

FORM = "multipart/form-data"
JSON = "application/json"

_MOST_PIECES = 4096  # of JSON; every layer of a network with its weight has a hundred
_AT_MOST = f"send at most {MAX_STYLES} artworks."
_SINGLE = {
    "content": "photograph",
    "content_mask": "mask of the photograph",
    "init_image": "picture to start from",
    "strength_mask": "grey picture of the strength",
    "anchor_image": "picture to hold to",
    "anchor_mask": "grey picture of what is held",
}
_MAX_FIELD_BYTES = 1 << 18


@dataclass
class _Draft:
    """What has been found so far, and what is wrong with it."""

    operation: Operation
    pictures: dict[str, list[bytes]] = field(default_factory=lambda: {name: [] for name in PICTURES})
    style_names: list[str] = field(default_factory=list)
    options: dict[str, object] = field(default_factory=dict)
    errors: list[FieldError] = field(default_factory=list)

    def complain(self, name: str, message: str) -> None:
        self.errors.append(FieldError(name, message))


def parse(body: bytes, content_type: str, operation: Operation = STYLIZE) -> Submission:
    """Read a body of either type.

    Args:
        body: all of it.
        content_type: the header; its media type is FORM or JSON.
        operation: says which pictures and options there are.

    Raises:
        Problem: the body is malformed.
        OptionsError: pictures are missing or options wrong; all of them at once.
    """
    if not body:
        raise Problem(MALFORMED, f"The body is empty: send {operation.wanted}.")
    media_type, parameters = parse_options_header(content_type)
    draft = _Draft(operation)
    if media_type == FORM:
        _read_form(body, parameters, draft)
    else:
        _read_json(body, draft)
    _count_pictures(draft)
    try:
        options = operation.parse(draft.options, text=media_type == FORM)
    except OptionsError as error:
        draft.errors += error.errors
    if draft.errors:
        raise OptionsError(draft.errors)
    return Submission(
        operation,
        next(iter(draft.pictures["content"]), None),
        tuple(draft.pictures["style"]),
        tuple(draft.style_names),
        options,
        content_mask=next(iter(draft.pictures["content_mask"]), None),
        style_masks=tuple(draft.pictures["style_mask"]),
        init_image=next(iter(draft.pictures["init_image"]), None),
        strength_mask=next(iter(draft.pictures["strength_mask"]), None),
        anchor_image=next(iter(draft.pictures["anchor_image"]), None),
        anchor_mask=next(iter(draft.pictures["anchor_mask"]), None),
    )


def _read_form(body: bytes, parameters: dict[str, str], draft: _Draft) -> None:
    try:
        parts = list(read_parts(body, parameters.get("boundary", "")))
    except TooManyPartsError:
        raise Problem(
            BODY_TOO_LARGE,
            f"The form has more than {MAX_PARTS} parts: send each option once, and no more than is needed.",
        ) from None
    except (ValueError, LookupError):
        raise Problem(
            MALFORMED, "The form is malformed: send multipart/form-data with its boundary."
        ) from None
    if not parts:
        raise Problem(MALFORMED, f"The form has no parts: send {draft.operation.wanted}.")
    texts: Counter[str] = Counter()
    for part in parts:
        _require_plain(part)
        assert part.name is not None, "it was looked for"
        if part.name in draft.operation.pictures:
            _read_file(part.name, part, draft)
        elif part.filename is not None:
            _complain_of_file(part.name, draft)
        else:
            texts[part.name] += 1
            _read_text(part.name, part.data, draft)
    for name, times in texts.items():
        if times > 1 and name not in draft.operation.parts:
            draft.complain(name, f"{name} was sent {times} times: send it once.")


def _require_plain(part: Part) -> None:
    """Raise the Problem of a part without a name, or of one whose data are not what they stand for."""
    if part.name is None:
        raise Problem(MALFORMED, "A part of the form has no name: name each part, like content or size.")
    if part.encoding is not None:
        raise Problem(
            UNSUPPORTED_MEDIA_TYPE,
            f"The part {quote(part.name)} has {part.encoding[:60]}: send its bytes as they are, without that header.",
        )


def _read_file(name: str, part: Part, draft: _Draft) -> None:
    """A picture: a file, or a part without a file's name that can be nothing else."""
    if part.filename is None and not part.media_type.startswith("image/") and sniff(part.data) is None:
        draft.complain(name, f"{name} is a text field: send it as a file, like curl -F {name}=@picture.jpg.")
    elif part.data or part.filename:
        draft.pictures[name].append(part.data)


def _complain_of_file(name: str, draft: _Draft) -> None:
    if name in (*draft.operation.options, *draft.operation.parts):
        draft.complain(name, f"{name} is a file: send it as a text field, like curl -F {name}=VALUE.")
    else:
        draft.complain(name, unknown(name, draft.operation.pictures, f"picture of {draft.operation.path}"))


def _read_text(name: str, data: bytes, draft: _Draft) -> None:
    if len(data) > _MAX_FIELD_BYTES:
        raise Problem(
            BODY_TOO_LARGE,
            f"{quote(name)} is a text of {len(data):,} bytes: send at most {_MAX_FIELD_BYTES:,}, and files as files.",
        )
    value = data.decode("utf-8", "replace").strip()
    if name == STYLE_NAME and name in draft.operation.parts:
        draft.style_names += [value] if value else []
    elif value:  # a field of an HTML form that was left empty was not given
        draft.options[name] = value


def _read_json(body: bytes, draft: _Draft) -> None:
    _count_structure(body)
    try:
        given = json.loads(body, parse_constant=_no_constant)
        _check_text(given)
    except RecursionError:
        raise Problem(MALFORMED, "The body is not JSON: it is nested too deeply.") from None
    except UnicodeError:
        raise Problem(MALFORMED, "The JSON has text that is not Unicode: write it as UTF-8.") from None
    except ValueError as error:
        why = (
            error
            if isinstance(error, json.JSONDecodeError | _NoNumberError)
            else "a number has too many digits"
        )
        raise Problem(MALFORMED, f"The body is not JSON: {why}.") from None
    if not isinstance(given, dict):
        raise Problem(MALFORMED, f"The JSON is not an object: send one with {draft.operation.wanted}.")
    if len(given) > MAX_PARTS:
        raise Problem(
            BODY_TOO_LARGE, f"The JSON has more than {MAX_PARTS} members: send only what is needed."
        )
    for name, value in given.items():
        if name not in draft.operation.parts:
            draft.options[name] = value
        elif name in _SINGLE:
            _read_base64(name, value, draft)
        elif name in PICTURES:
            for item in _items(name, value, draft):
                _read_base64(name, item, draft)
        elif name == STYLE_NAME:
            for item in _items(name, value, draft):
                _read_name(item, draft)


def _read_base64(name: str, value: object, draft: _Draft) -> None:
    if not isinstance(value, str):
        draft.complain(name, f"{name} is not a text: send the file's bytes as base64.")
        return
    try:
        draft.pictures[name].append(decode_base64(value))
    except ValueError as error:
        draft.complain(name, f"{name} {error}.")


def _items(name: str, value: object, draft: _Draft) -> list[object]:
    """One artwork or a list of them; none of a list that is too long, so that nobody makes millions of complaints."""
    items = value if isinstance(value, list) else [value]
    if len(items) <= MAX_STYLES:
        return items
    draft.complain(name, f"{name} was sent {len(items)} times: {_AT_MOST}")
    return []


def _read_name(value: object, draft: _Draft) -> None:
    if isinstance(value, str):
        draft.style_names.append(value)
    else:
        draft.complain(
            STYLE_NAME, f"{STYLE_NAME} is {quote(value)}: give the name of a style, or a list of names."
        )


def _count_structure(body: bytes) -> None:
    """Refuse JSON of more pieces than options and pictures have: nothing else runs while a parser makes millions."""
    pieces = len(body) - len(body.translate(None, b"[]{},:"))
    if pieces > _MOST_PIECES:
        raise Problem(
            BODY_TOO_LARGE,
            f"The JSON has more than {_MOST_PIECES:,} brackets, commas and colons: send only what is needed.",
        )


def _check_text(given: object) -> None:
    """Raise UnicodeError for halves of characters (lone surrogates), which no answer could repeat."""
    options = {n: v for n, v in given.items() if n not in PICTURES} if isinstance(given, dict) else given
    json.dumps(options, ensure_ascii=False).encode()


class _NoNumberError(ValueError):
    """NaN and the like."""


def _no_constant(name: str) -> object:
    raise _NoNumberError(f"{name} is not a number in JSON")


def _count_pictures(draft: _Draft) -> None:
    wrong = {error.field for error in draft.errors}
    needed = set(draft.operation.pictures) - wrong
    if not draft.pictures["content"] and "content" in needed:
        draft.complain("content", "content is missing: send the photograph as a file.")
    for name, what in _SINGLE.items():
        if (times := len(draft.pictures[name])) > 1:
            draft.complain(name, f"{name} was sent {times} times: send one {what}.")
    styles = len(draft.pictures["style"])
    names = len(draft.style_names)
    if styles + names == 0 and "style" in needed and STYLE_NAME not in wrong:
        draft.complain(
            "style",
            "style is missing: send at least one artwork as a file, or the name of one of GET /styles as style_name.",
        )
    if styles + names > MAX_STYLES:
        counts = {"style": styles, STYLE_NAME: names}
        sent = [f"{name} was sent {count} times" for name, count in counts.items() if count]
        draft.complain("style" if styles else STYLE_NAME, f"{' and '.join(sent)}: {_AT_MOST}")
