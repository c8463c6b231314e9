"""Recording rules and alerts: valid, tested in both directions, explained."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.settings.settings import PREFIX, Settings
from tests.monitoring.queries import families, metrics_in, name_of, sample_names

ROOT = Path(__file__).parents[2]
RULES = ROOT / "helm/stylize/files/rules.yaml"
CASES = Path(__file__).parent / "rules_test.yaml"
RUNBOOKS = ROOT / "docs/run/runbooks"

_RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
]
ALERTS = [rule for rule in _RULES if "alert" in rule]
RECORDS = [rule for rule in _RULES if "record" in rule]
NAMES = [rule["alert"] for rule in ALERTS]


def _passes(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_them(promtool: str) -> None:
    _passes(promtool, "check", "rules", str(RULES))


def test_every_case_comes_out_as_written(promtool: str) -> None:
    _passes(promtool, "test", "rules", str(CASES))


@pytest.mark.parametrize("name", NAMES)
def test_there_is_a_case_in_which_it_fires_and_one_in_which_it_does_not(name: str) -> None:
    cases = [
        case
        for test in yaml.safe_load(CASES.read_text())["tests"]
        for case in test.get("alert_rule_test", [])
        if case["alertname"] == name
    ]
    assert {bool(case["exp_alerts"]) for case in cases} == {True, False}


@pytest.mark.parametrize("rule", ALERTS, ids=NAMES)
def test_it_says_how_bad_it_is_what_happens_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/run/runbooks/{rule['alert']}.md"


def test_each_has_a_page_and_each_page_an_alert() -> None:
    assert sorted(NAMES) == sorted(page.stem for page in RUNBOOKS.glob("*.md"))


@pytest.mark.parametrize("name", NAMES)
def test_its_page_says_what_it_means_how_to_confirm_it_and_what_to_do(name: str) -> None:
    page = (RUNBOOKS / f"{name}.md").read_text()
    assert page.startswith(f"# {name}: ")
    assert re.findall(r"^## (.*)", page, re.MULTILINE) == ["What it means", "How to confirm", "What to do"]
    links = re.findall(r"\]\(([^)#]+)", page)
    assert [link for link in links if not (RUNBOOKS / link).exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_its_page_names_settings_and_metrics_that_exist(name: str) -> None:
    page = (RUNBOOKS / f"{name}.md").read_text()
    settings = {PREFIX + field.upper() for field in Settings.model_fields}
    assert set(re.findall(r"STYLIZE_[A-Z_]+", page)) <= settings
    families_too = {name_of(family) for family in families()}
    assert metrics_in(page) <= sample_names() | families_too | {rule["record"] for rule in RECORDS}


@pytest.mark.parametrize("rule", _RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_it_asks_for_metrics_that_exist(rule: dict[str, Any]) -> None:
    assert metrics_in(rule["expr"]) <= sample_names() | {rule["record"] for rule in RECORDS}
