"""Files of the package as answers."""

from functools import cache
from pathlib import Path

from flask import Response, request


def file_answer(path: Path, content_type: str, policy: str | None = None) -> Response:
    """A file that a client may keep, if it asks each time whether it is still the same.

    Args:
        path: of a file that never changes while the service runs.
        content_type: its media type, with a charset where it is text.
        policy: Content-Security-Policy of a page; without one it may load and run nothing.
    """
    response = Response(_bytes(path), content_type=content_type)
    response.add_etag()
    response.headers["Cache-Control"] = "no-cache"
    if policy is not None:
        response.headers["Content-Security-Policy"] = policy
    return response.make_conditional(request)  # type: ignore[return-value]  # it returns itself


@cache
def _bytes(path: Path) -> bytes:
    return path.read_bytes()
