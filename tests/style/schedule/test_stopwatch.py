"""Time is estimated from what was measured, beforehand and on the way."""

import pytest

from service.style.schedule.stopwatch import Stopwatch


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_begun_that_would_not_end_in_time() -> None:
    clock = Clock()
    stopwatch = Stopwatch([10.0, None, 20.0], clock)
    stopwatch.observe(1000, 5.0)  # cold, and not counted once there is another
    stopwatch.observe(1000, 1.0)
    clock.now += 8.5
    assert stopwatch.fits(1000, 1)
    assert not stopwatch.fits(1000, 2)
    assert not stopwatch.fits(4000, 1), "four times the pixels take four times as long"
    assert not stopwatch.fits(1000, 1, reserve=1.0)
    assert not stopwatch.fits(1000, 1, share=0.9)
    assert stopwatch.fraction() == pytest.approx(0.85)


def test_two_sizes_tell_the_fixed_cost_of_an_evaluation_from_that_of_its_pixels() -> None:
    stopwatch = Stopwatch([10.0], Clock())
    for pixels, seconds in ((1000, 1.5), (2000, 2.5)):
        stopwatch.observe(pixels, seconds)
        stopwatch.observe(pixels, seconds)
    assert stopwatch.estimate(4000, 2) == pytest.approx(9.0)


def test_one_cold_evaluation_is_not_multiplied() -> None:
    stopwatch = Stopwatch([10.0], Clock())
    stopwatch.observe(1000, 3.0)
    assert stopwatch.fits(64_000, 1)


def test_without_a_budget_everything_fits() -> None:
    stopwatch = Stopwatch([None, None], Clock())
    stopwatch.observe(1, 1e9)
    assert stopwatch.fits(10**9, 10**9, reserve=10**9)
    assert stopwatch.fraction() == 0


def test_recent_costs_count_more_so_a_machine_that_slows_down_is_noticed() -> None:
    stopwatch = Stopwatch([10.0], Clock())
    stopwatch.observe(1000, 1.0)
    for _ in range(10):
        stopwatch.observe(1000, 2.0)
    assert stopwatch.estimate(1000, 1) == pytest.approx(2.0, rel=0.05)


USUAL = {1000: 2.0, 9000: 10.0}  # one second for itself, one for each thousand pixels


def test_what_warming_up_measured_is_known_before_anything_runs() -> None:
    stopwatch = Stopwatch([10.0], Clock(), USUAL)
    assert stopwatch.can_extrapolate
    assert stopwatch.estimate(4000, 2) == pytest.approx(10.0)
    assert not stopwatch.fits(16_000, 1)


def test_a_machine_that_is_slower_than_when_it_warmed_up_corrects_the_estimate() -> None:
    stopwatch = Stopwatch([10.0], Clock(), USUAL)
    stopwatch.observe(1000, 50.0)
    assert stopwatch.estimate(4000, 1) == pytest.approx(5.0), "the first of a size is cold, and says nothing"
    stopwatch.observe(1000, 6.0)
    assert stopwatch.estimate(4000, 1) == pytest.approx(15.0), "three times as slow, so everything is"
    assert stopwatch.estimate(1000, 1) == pytest.approx(6.0)


def test_a_larger_size_that_took_less_time_does_not_make_still_larger_ones_free() -> None:
    stopwatch = Stopwatch([10.0], Clock(), {1000: 3.0, 2000: 2.0})
    assert stopwatch.estimate(8000, 1) == pytest.approx(2.0)
