"""What p50 and p99 mean in every table of what clients saw."""

from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """One of the values, which this share of them is below; not a number where there are none.

    Args:
        values: in any order and unit.
        share: 0..1: 0 gives the least of them, 1 the greatest.
    """
    return sorted(values)[min(len(values) - 1, round(share * len(values)))] if values else float("nan")
