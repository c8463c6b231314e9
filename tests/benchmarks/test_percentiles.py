import math

import pytest

from benchmarks.percentiles import percentile


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 3), (0.9, 5), (1.0, 5)])
def test_a_percentile_is_one_of_the_values_whatever_their_order(share: float, value: float) -> None:
    assert percentile([5, 1, 4, 2, 3], share) == value


def test_of_nothing_it_is_not_a_number() -> None:
    assert math.isnan(percentile([], 0.5))
