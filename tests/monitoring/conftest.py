"""The tools of Prometheus. `.ci/run` brings them; elsewhere `apt-get install prometheus` does."""

import shutil

import pytest


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip("there is no Prometheus: apt-get install prometheus")
    return found


@pytest.fixture(scope="session")
def promtool() -> str:
    return _tool("promtool")


@pytest.fixture(scope="session")
def prometheus() -> str:
    return _tool("prometheus")
