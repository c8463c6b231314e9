"""Hooks for Schemathesis: where a file is described it sends a picture, so that requests come all the way."""

import base64
from typing import Any

import schemathesis
from hypothesis import strategies as st

from devtools.serving import picture
from service.intake import contract

PICTURES = [picture(40, 30), picture(16, 16, "orange", "jpeg"), picture(33, 64, "navy", "webp")]

schemathesis.openapi.format("binary", st.sampled_from(PICTURES))


@schemathesis.hook
def map_body(_: schemathesis.HookContext, body: Any) -> Any:
    """In JSON too, whatever text stands for a file."""
    if not isinstance(body, dict):
        return body
    encoded = base64.b64encode(PICTURES[0]).decode()
    for name in contract.PICTURES:
        if isinstance(body.get(name), str):
            body = body | {name: encoded}
        elif isinstance(body.get(name), list):
            body = body | {name: [encoded if isinstance(item, str) else item for item in body[name]]}
    return body


@schemathesis.hook
def filter_case(_: schemathesis.HookContext, case: Any) -> bool:
    """Leave out what violates nothing.

    An unknown header is to be ignored (RFC 9110, section 5.1). In a form a list is text: an empty one is as if it had
    not been sent, and a number is a list of one.
    """
    if "x-schemathesis-unknown-property" in (case.headers or {}):
        return False
    if case.media_type != "multipart/form-data" or not isinstance(case.body, dict):
        return True
    return [] not in case.body.values() and isinstance(case.body.get("style_weights", [1]), list)
