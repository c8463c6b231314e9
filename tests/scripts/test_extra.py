"""What an extra requires is locked, at the versions that the tests use."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from scripts.extra import required

ROOT = Path(__file__).parents[2]


def _locked(name: str) -> dict[str, str]:
    text = (ROOT / f"requirements/{name}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", text, re.MULTILINE))


@pytest.mark.parametrize("extra", ["heic", "otel"])
def test_an_extra_is_locked_at_the_versions_of_the_runtime_and_of_the_tests(extra: str) -> None:
    locked, runtime, dev = _locked(extra), _locked("runtime"), _locked("dev")
    wanted = [Requirement(each) for each in required(extra)]
    assert all(each.specifier.contains(locked[each.name]) for each in wanted)
    assert {name: runtime.get(name, version) for name, version in locked.items()} == locked
    assert {name: dev[name] for name in locked} == locked


def test_the_command_prints_what_uv_reads() -> None:
    command = [sys.executable, "-m", "scripts.extra", "heic"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == required("heic")
