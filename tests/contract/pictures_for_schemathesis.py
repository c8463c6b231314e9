"""Hooks for Schemathesis: where a file is described it sends a picture, so that requests come all the way."""

import base64
from typing import Any

import schemathesis
from hypothesis import strategies as st

from service import contract
from tests.serving import picture

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
