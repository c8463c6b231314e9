"""The Grafana dashboard asks for what exists, and says what it shows."""

import re
from typing import Any

import pytest

from tests.monitoring.dashboard import DASHBOARD, of_others, panels, queries
from tests.monitoring.queries import metrics_in, sample_names
from tests.monitoring.test_rules import RECORDS

TITLES = [panel["title"] for panel in panels()]


def test_it_is_a_dashboard_that_grafana_can_import() -> None:
    assert DASHBOARD["schemaVersion"] == 39
    assert DASHBOARD["uid"] == "stylize"
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert len(TITLES) == len(set(TITLES))


@pytest.mark.parametrize("panel", panels(), ids=TITLES)
def test_a_panel_has_title_unit_and_description(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]


@pytest.mark.parametrize("panel", panels(), ids=TITLES)
def test_a_panel_asks_the_data_source_that_is_chosen(panel: dict[str, Any]) -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    assert [panel["datasource"], *(target["datasource"] for target in panel["targets"])] == [chosen] * (
        1 + len(panel["targets"])
    )
    assert "datasource" in {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    references = [target["refId"] for target in panel["targets"]]
    assert len(references) == len(set(references))


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize(("title", "query"), queries())
def test_a_query_names_metrics_that_exist_and_no_unknown_variable(title: str, query: str) -> None:
    named = metrics_in(query)
    assert named, title
    assert named <= sample_names() | {rule["record"] for rule in RECORDS}
    assert not re.search(r"\$", query)


def test_queries_are_narrowed_to_the_namespace_that_is_chosen() -> None:
    for panel in panels():
        for target in panel["targets"]:
            selectors = re.findall(r"\{([^{}]*=~[^{}]*)\}", target["expr"])
            assert all('namespace=~"$namespace' in selector for selector in selectors), panel["title"]
    names = [variable["name"] for variable in DASHBOARD["templating"]["list"]]
    assert names == ["datasource", "namespace", "job", "instance"]


def test_those_of_nvidia_s_exporter_say_that_they_need_it() -> None:
    theirs = [panel for panel in panels() if of_others(panel)]
    assert theirs
    assert all("needs the exporter of NVIDIA" in panel["description"] for panel in theirs)


def test_what_operators_look_for_first_is_there() -> None:
    shown = metrics_in(" ".join(query for _, query in queries()))
    assert shown >= {
        "stylize_requests_total",
        "stylize_queue_depth",
        "stylize_queue_capacity",
        "stylize_evaluations_total",
        "stylize_engine_state",
        "stylize_build_info",
        "stylize:stage_duration_seconds:p95_5m",
        "stylize:engine_utilization:rate5m",
        "stylize:shed_ratio:rate5m",
        "stylize:resident_memory_bytes",
    }
