"""For gunicorn: the model that paints nothing, which fails where a file tells it to."""

import os
from pathlib import Path

from flask import Flask

from service.app import create_app
from tests.serving import FakeModel, wait_until


def create_scripted_app() -> Flask:
    """Files at LOAD_FILE and STEP_FILE hold the start and the evaluations; one at FAIL_FILE fails the next."""

    def wait_for(variable: str) -> None:
        wait_until(lambda: not Path(os.environ[variable]).exists(), 60)

    def load() -> FakeModel:
        wait_for("LOAD_FILE")
        return FakeModel(step=step)

    def step(_: int) -> None:
        wait_for("STEP_FILE")
        if Path(os.environ["FAIL_FILE"]).exists():
            raise RuntimeError("a fault, on purpose")

    return create_app(load=load)
