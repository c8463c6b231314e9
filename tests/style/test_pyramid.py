import pytest

from service.style.options import Options
from service.style.pyramid import Stage, Stopwatch, plan, scales


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (192, 256, [64, 128, 256]),
        (384, 512, [64, 128, 256, 512]),
        (96, 128, [32, 64, 128][1:]),  # at 32 px the short side would be 24
        (128, 128, [32, 64, 128]),
        (1024, 1024, [64, 128, 256, 512, 1024]),
        (40, 800, [800]),
        (16, 16, [16]),
    ],
)
def test_scales_double_from_the_coarsest_that_holds_shapes(
    height: int, width: int, expected: list[int]
) -> None:
    assert scales(height, width, "content") == expected


def test_white_noise_is_optimised_at_the_full_size_alone() -> None:
    assert scales(384, 512, "noise") == [512]
    assert [stage.evaluations for stage in plan(384, 512, Options(init="noise"))] == [500]


def test_the_default_schedule() -> None:
    stages = plan(192, 256, Options())
    assert [(stage.longest, stage.evaluations) for stage in stages] == [(64, 40), (128, 40), (256, 20)]
    assert sum(stage.share for stage in stages) == pytest.approx(1)
    assert stages[2].share == pytest.approx(20 / 32.5)


def test_a_picture_too_small_for_scales_gets_what_a_first_scale_gets() -> None:
    assert [(stage.longest, stage.evaluations) for stage in plan(43, 64, Options())] == [(64, 40)]


@pytest.mark.parametrize("iterations", [1, 2, 3, 7, 100, 501])
def test_iterations_bound_the_evaluations_of_all_scales_together(iterations: int) -> None:
    stages = plan(192, 256, Options(iterations=iterations))
    assert sum(stage.evaluations or 0 for stage in stages) == iterations
    assert stages[-1].longest == 256, "the full size comes first in line"
    assert all(stage.evaluations is not None and stage.evaluations <= 40 for stage in stages[:-1])


def test_a_budget_alone_leaves_the_evaluations_open() -> None:
    """Of the finest scale: the coarse ones have nothing to gain beyond their usual number."""
    assert [stage.evaluations for stage in plan(192, 256, Options(budget=3))] == [40, 40, None]
    assert sum(stage.evaluations or 0 for stage in plan(192, 256, Options(budget=3, iterations=50))) == 50


def test_a_time_limit_leaves_the_default_schedule_as_it_is() -> None:
    assert plan(192, 256, Options(time_limit=60)) == plan(192, 256, Options())


def test_a_stage_is_a_plain_value() -> None:
    assert Stage(64, 40, 0.5) == Stage(64, 40, 0.5)


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
