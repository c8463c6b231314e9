from collections.abc import Generator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from devtools.serving import FakeModel, started
from service.api.context import Service, service_of


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def app(model: FakeModel) -> Generator[Flask, None, None]:
    app = started(model)
    yield app
    service_of(app).engine.stop()


@pytest.fixture
def service(app: Flask) -> Service:
    return service_of(app)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
