"""Fixtures of the chart's tests."""

import shutil
from pathlib import Path

import pytest

from tests.helm.rendering import CHART


@pytest.fixture(scope="session")
def complete_chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the chart that has rules and a dashboard whatever the chart has, and shows its notes as an object."""
    chart = tmp_path_factory.mktemp("charts") / "stylize"
    shutil.copytree(CHART, chart)
    rules, dashboard = chart / "files" / "rules.yaml", chart / "files" / "dashboard.json"
    if not rules.exists():
        rules.write_text(
            "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up == 0, annotations: {s: '{{ $value }}'}}\n"
        )
    if not dashboard.exists():
        dashboard.write_text('{"title": "Stylize", "panels": [{"legend": "{{pod}}"}]}\n')
    (chart / "templates" / "notes.yaml").write_text(
        '{kind: Notes, text: {{ include (print $.Template.BasePath "/NOTES.txt") . | toJson }}}\n'
    )
    return chart
