"""docs/run/metrics.md is true of the code."""

import re
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from service.monitoring.metrics import STAGES
from service.problems import PROBLEMS, Outcome
from service.settings import Settings
from tests.monitoring.queries import families, name_of

PAGE = (Path(__file__).parents[2] / "docs/run/metrics.md").read_text()
LABELS = ("outcome", "stage", "type", "state", "reason", "image", "format", "conversion", "cause", "priority")


def _rows(width: int) -> list[list[str]]:
    rows = [line.strip("| ").split("|") for line in PAGE.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows if len(row) == width]


def _quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_the_table_has_every_metric_with_its_type_its_labels_and_its_meaning() -> None:
    documented = [(_quoted(name), kind, _quoted(labels), text) for name, kind, labels, text in _rows(4)]
    assert documented == [
        (
            [name_of(family)],
            family.type,
            sorted({label for sample in family.samples for label in sample.labels} - {"le"}),
            family.documentation,
        )
        for family in families()
        if family.name.startswith("stylize_")
    ]


@pytest.mark.parametrize("label", LABELS)
def test_the_values_of_a_label_are_those_that_exist_from_the_start(label: str) -> None:
    (documented,) = [_quoted(values) for name, values in _rows(2) if name == f"`{label}`"]
    values = [sample.labels.get(label) for family in families() for sample in family.samples]
    assert documented == list(dict.fromkeys(value for value in values if value))


def test_every_outcome_stage_and_problem_is_counted_from_the_start() -> None:
    seen = {value for family in families() for sample in family.samples for value in sample.labels.values()}
    assert {*get_args(Outcome), *STAGES, *PROBLEMS} <= seen


@pytest.mark.parametrize("name", ["stylize_http_request_duration_seconds", "stylize_stage_duration_seconds"])
def test_seconds_are_told_apart_from_a_gpu_s_to_the_longest_deadline(name: str) -> None:
    (family,) = [each for each in families() if each.name == name]
    buckets = sorted({float(sample.labels["le"]) for sample in family.samples if "le" in sample.labels})
    of_pictures = [bucket for bucket in buckets if 0.1 <= bucket <= Settings.model_fields["deadline"].default]
    steps = [larger / smaller for smaller, larger in pairwise(of_pictures)]
    assert max(steps) <= 1.5
    assert len([bucket for bucket in buckets if 0.3 <= bucket < 0.45]) >= 3
    longest = Settings.model_json_schema()["properties"]["deadline"]["maximum"]
    assert buckets[-2] >= 0.8 * longest  # where StylizeSlow looks
