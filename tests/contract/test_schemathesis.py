"""Schemathesis against the running service with the real network: what it answers is what openapi.yaml says."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from devtools.running import ROOT, Server
from devtools.serving import picture
from service.api.pages.docs import OPENAPI
from service.intake.operations import OPERATIONS

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def server(vgg16_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Server, None, None]:
    styles = tmp_path_factory.mktemp("styles")
    (styles / "stained-glass.png").write_bytes(picture())
    settings: dict[str, Any] = {
        "STYLIZE_WEIGHTS_DIR": vgg16_dir,
        "STYLIZE_STYLES_DIR": styles,
        "STYLIZE_BACKBONE": "vgg16",
        "STYLIZE_DEVICE": "cpu",
        "STYLIZE_MAX_SIZE": 64,
        "STYLIZE_MAX_BUDGET": 0.01,
        "STYLIZE_MAX_PIXELS": 10_000,
    }
    with Server("service.api:create_app()", **settings) as server:
        yield server


PICTURES = "tests.contract.pictures_for_schemathesis"


@pytest.mark.weights
@pytest.mark.parametrize(
    ("hooks", "phases"),
    [
        pytest.param(PICTURES, "examples,stateful", id="examples"),
        pytest.param("", "examples,coverage,fuzzing,stateful", id="any file", marks=pytest.mark.slow),
        pytest.param(PICTURES, "examples,coverage,fuzzing,stateful", id="pictures", marks=pytest.mark.slow),
    ],
)
def test_every_answer_is_as_described(server: Server, hooks: str, phases: str, tmp_path: Path) -> None:
    """It takes long, as that is many hundred requests, some of which are painted."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(HERE / "schemathesis.toml")),
        *("run", str(OPENAPI), "--url", f"http://127.0.0.1:{server.port}"),
        *("--checks", "all", "--phases", phases),
        *("--max-examples", "25", "--seed", "1", "--continue-on-failure", "--no-color"),
    ]
    before = len(server.requests_logged())
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": hooks, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    cases = re.search(r"(\d+) generated, (?:all )?(\d+) passed", run.stdout)
    assert cases, run.stdout[-2000:]
    assert not server.errors()
    if "coverage" not in phases:
        return
    assert int(cases[1]) > 300
    answers = Counter((line["route"], line["status"]) for line in server.requests_logged()[before:])
    for operation in OPERATIONS:
        assert {200, 400, 406, 415, 422} <= {status for route, status in answers if route == operation.path}
        # with pictures in them, many come all the way
        assert answers[operation.path, 200] > (25 if hooks else 0)
