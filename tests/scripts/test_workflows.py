"""The workflows of GitHub are valid, and call what there is."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yaml"))
MAKEFILE = (ROOT / "Makefile").read_text()


def _runs(path: Path) -> list[str]:
    jobs: dict[str, Any] = yaml.safe_load(path.read_text())["jobs"]
    return [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_what_github_understands(path: Path) -> None:
    check = ["--builtin-schema", "vendor.github-workflows"]
    done = CliRunner().invoke(check_jsonschema, [*check, str(path)])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_its_make_targets_variables_and_scripts_exist(path: Path) -> None:
    calls = [
        call for run in _runs(path) for call in re.findall(r"\bmake ([^)\"\n]*(?:\"[^\"]*\"[^)\"\n]*)*)", run)
    ]
    for words in (call.split() for call in calls):
        for word in words:
            if word.startswith("--"):
                continue
            name, assigned, _ = word.partition("=")
            wanted = rf"\$\({name}\)|\(if \$\({name}\)|^{name}\s*\??=" if assigned else rf"^{name}:"
            assert re.search(wanted, MAKEFILE, re.MULTILINE), word
    for script in re.findall(r"^\.\S+", "\n".join(_runs(path)), re.MULTILINE):
        assert (ROOT / script).is_file()


def test_there_is_one_for_each_change_and_one_for_each_version() -> None:
    assert [path.stem for path in WORKFLOWS] == ["ci", "release"]


def test_only_a_tag_publishes() -> None:
    release = yaml.safe_load((ROOT / ".github/workflows/release.yaml").read_text())
    assert release[True] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}}  # YAML 1.1 reads "on" as true
    ci = (ROOT / ".github/workflows/ci.yaml").read_text()
    assert "PUSH" not in ci
    assert "write" not in ci
