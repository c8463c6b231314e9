"""The dashboard's panels and their queries."""

import json
from pathlib import Path
from typing import Any

PATH = Path(__file__).parents[2] / "helm/stylize/files/dashboard.json"
DASHBOARD: dict[str, Any] = json.loads(PATH.read_text())

# What Grafana puts in place of its variables, here for a dashboard that shows everything.
_VARIABLES = {"$job": ".*", "$instance": ".*", "$namespace": ".*"}


def panels() -> list[dict[str, Any]]:
    """All of them, without the rows that divide them."""
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def of_others(panel: dict[str, Any]) -> bool:
    """Whether it shows metrics of NVIDIA's exporter, and not ours."""
    return all(target["expr"].startswith("DCGM_") for target in panel["targets"])


def queries(rate_interval: str = "5m") -> list[tuple[str, str]]:
    """Pairs of a panel's title and a query for our metrics, ready for Prometheus."""
    pairs = []
    for panel in panels():
        if of_others(panel):
            continue
        for target in panel["targets"]:
            query = target["expr"]
            for variable, value in (_VARIABLES | {"$__rate_interval": rate_interval}).items():
                query = query.replace(variable, value)
            pairs.append((panel["title"], query))
    return pairs
