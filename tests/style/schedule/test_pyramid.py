import pytest

from service.style.options import Options
from service.style.schedule.pyramid import Stage, plan, scales


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (192, 256, [64, 128, 256]),
        (384, 512, [64, 128, 256, 512]),
        (96, 128, [64, 128]),
        (128, 128, [64, 128]),
        (1024, 1024, [64, 128, 256, 512, 1024]),
        (300, 400, [64, 128, 256, 400]),
        (270, 360, [64, 128, 360]),  # less than 1.41 times 256
        (48, 90, [90]),
        (90, 200, [128, 200]),  # at 64 px the short side would be 29
        (40, 800, [800]),
        (100, 200, [64, 128, 200]),  # at 64 px the short side is the least that is enough
        (16, 16, [16]),
    ],
)
def test_scales_are_the_same_for_all_sizes_but_the_last(height: int, width: int, expected: list[int]) -> None:
    assert scales(height, width, "content") == expected


def test_white_noise_is_optimised_at_the_full_size_alone() -> None:
    assert scales(384, 512, "noise") == [512]
    assert [stage.evaluations for stage in plan(384, 512, Options(init="noise"))] == [500]


def test_the_default_schedule() -> None:
    stages = plan(192, 256, Options())
    assert [(stage.longest, stage.evaluations) for stage in stages] == [(64, 30), (128, 30), (256, 30)]
    assert sum(stage.share for stage in stages) == pytest.approx(1)
    assert stages[2].share == pytest.approx(16 / 21)


def test_a_picture_too_small_for_scales_gets_what_a_first_scale_gets() -> None:
    assert [(stage.longest, stage.evaluations) for stage in plan(43, 64, Options())] == [(64, 30)]


@pytest.mark.parametrize("iterations", [1, 2, 3, 7, 100, 501])
def test_iterations_bound_the_evaluations_of_all_scales_together(iterations: int) -> None:
    stages = plan(192, 256, Options(iterations=iterations))
    assert sum(stage.evaluations or 0 for stage in stages) == iterations
    assert stages[-1].longest == 256, "the full size comes first in line"
    assert all(stage.evaluations is not None and stage.evaluations <= 30 for stage in stages[:-1])


def test_a_budget_alone_leaves_the_evaluations_open() -> None:
    """Of the finest scale: the coarse ones have nothing to gain beyond their usual number."""
    assert [stage.evaluations for stage in plan(192, 256, Options(budget=3))] == [30, 30, None]
    assert sum(stage.evaluations or 0 for stage in plan(192, 256, Options(budget=3, iterations=50))) == 50


def test_a_time_limit_leaves_the_default_schedule_as_it_is() -> None:
    assert plan(192, 256, Options(time_limit=60)) == plan(192, 256, Options())


def test_a_stage_is_a_plain_value() -> None:
    assert Stage(64, 40, 0.5) == Stage(64, 40, 0.5)


def test_time_is_shared_by_what_an_evaluation_costs_and_not_by_its_pixels_alone() -> None:
    stages = plan(192, 256, Options(), cost=lambda pixels: 10.0)
    assert [stage.share for stage in stages] == pytest.approx([1 / 3, 1 / 3, 1 / 3])
