"""What p50 and p99 mean in every table of what clients saw."""

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that this share of the values does not exceed (nearest rank); not a number where there is none.

    Args:
        values: in any order and unit.
        share: 0..1: 0 gives the least of them, 1 the greatest.
    """
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else float("nan")
