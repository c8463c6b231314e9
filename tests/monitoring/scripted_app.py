"""For gunicorn: the model that paints nothing, which fails where a file tells it to."""

import os
from pathlib import Path

from flask import Flask

from devtools.serving import FakeModel, held_by, wait_until
from service.api.app import create_app


def create_scripted_app() -> Flask:
    """Files at LOAD_FILE and STEP_FILE hold the start and the evaluations; one at FAIL_FILE fails the next."""

    load_file, step_file, fail_file = (
        Path(os.environ[name]) for name in ("LOAD_FILE", "STEP_FILE", "FAIL_FILE")
    )

    def load() -> FakeModel:
        wait_until(lambda: not load_file.exists(), 60)
        return FakeModel(step=step)

    def step(number: int) -> None:
        held_by(step_file, number)
        if fail_file.exists():
            raise RuntimeError("a fault, on purpose")

    return create_app(load=load)
