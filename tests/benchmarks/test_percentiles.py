import math

import pytest

from benchmarks.service.percentiles import percentile


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 3), (0.9, 5), (1.0, 5)])
def test_a_percentile_is_one_of_the_values_whatever_their_order(share: float, value: float) -> None:
    assert percentile([5, 1, 4, 2, 3], share) == value


@pytest.mark.parametrize(("share", "value"), [(0.33, 1), (0.5, 2), (0.66, 2), (0.67, 3), (1.0, 3)])
def test_of_three_values_each_stands_for_a_third_of_the_shares(share: float, value: float) -> None:
    assert percentile([3, 1, 2], share) == value


def test_of_nothing_it_is_not_a_number() -> None:
    assert math.isnan(percentile([], 0.5))
