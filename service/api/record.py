"""The record of the current request."""

import time
from collections.abc import Generator
from contextlib import contextmanager

from flask import g

from service.monitoring import RequestRecord


def record() -> RequestRecord:
    """The record of the current request."""
    current: RequestRecord = g.record
    return current


@contextmanager
def stage(name: str) -> Generator[None, None, None]:
    """Measure one stage of the current request."""
    begun = time.monotonic()
    try:
        yield
    finally:
        record().went_through(name, begun, time.monotonic() - begun)
