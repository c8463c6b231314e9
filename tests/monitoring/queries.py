"""What queries and pages may ask for."""

import re
from functools import cache

from prometheus_client import Metric

from service.engine.engine import State
from service.monitoring.metrics import Metrics

_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}


@cache
def families() -> tuple[Metric, ...]:
    """Every metric of the service, each with at least one sample."""
    metrics = Metrics()
    metrics.expect_requests(["/stylize"])
    metrics.expect_keys(["phone"])
    metrics.follow_state(State, lambda: State.READY)
    metrics.built(backbone="", weights="", torch="", device="")
    return tuple(metrics.registry.collect())


def name_of(family: Metric) -> str:
    """As people write it: a counter with its suffix."""
    return f"{family.name}_total" if family.type == "counter" else str(family.name)


def sample_names() -> set[str]:
    """Every name that a query can ask for, with `up`, which Prometheus adds."""
    return {f.name + suffix for f in families() for suffix in _SUFFIXES.get(f.type, ("",))} | {"up"}


def metrics_in(text: str) -> set[str]:
    """The metrics and recorded series that a query, or a page with queries, names."""
    return set(
        re.findall(r"\b(?:stylize_[a-z_]+|stylize:[a-z0-9_:]+|process_[a-z_]+|python_[a-z_]+|up\b)", text)
    )
