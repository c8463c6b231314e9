"""What pictures are expected to cost, from what others did."""

import pytest
import torch

from service.engine.cost import FIRST_GUESS_SECONDS, Costs, pixels
from service.style.options import Options
from service.style.work import Work


def work(height: int = 64, width: int = 64, size: int = 64, **options: object) -> Work:
    return Work(torch.zeros(3, height, width), [], Options(size=size, **options))  # type: ignore[arg-type]


def test_the_result_has_the_aspect_ratio_of_the_photograph() -> None:
    assert pixels(work(30, 40, size=256)) == pixels(work(40, 30, size=256)) == 256 * 192


def test_before_anything_is_measured_there_is_a_guess_but_never_above_a_limit() -> None:
    assert Costs().expected(work()) == FIRST_GUESS_SECONDS
    assert Costs().expected(work(time_limit=3)) == 3


def test_a_budget_costs_itself_until_it_is_known_how_much_of_one_is_used() -> None:
    costs = Costs()
    assert costs.expected(work(budget=2)) == 2
    for _ in range(30):
        costs.learn(work(budget=2), 1)
    assert costs.expected(work(budget=8, size=512)) == pytest.approx(4, rel=0.01)


def test_without_a_budget_it_grows_with_pixels_and_evaluations() -> None:
    costs = Costs()
    costs.learn(work(size=60, iterations=10), 1.0)
    assert costs.expected(work(size=60, iterations=15)) == pytest.approx(1.5)
    assert costs.expected(work(48, 64, size=60, iterations=10)) == pytest.approx(0.75)


def test_sizes_far_apart_and_starts_from_noise_are_learned_apart() -> None:
    costs = Costs()
    costs.learn(work(size=64), 1.0)
    costs.learn(work(size=512), 30.0)
    costs.learn(work(size=64, init="noise"), 9.0)
    assert costs.expected(work(size=64)) == 1.0
    assert costs.expected(work(size=512)) == 30.0
    assert costs.expected(work(size=64, init="noise")) == 9.0


def test_what_is_unknown_costs_what_the_others_do_on_average() -> None:
    costs = Costs()
    costs.learn(work(size=64), 2.0)
    costs.learn(work(size=64), 4.0)
    assert costs.expected(work(size=512)) == costs.mean == pytest.approx(2.4)


def test_a_picture_that_its_deadline_ended_never_makes_others_look_cheaper() -> None:
    costs = Costs()
    costs.learn(work(), 10.0)
    costs.learn(work(), 3.0, shortened=True)
    assert costs.expected(work()) == 10.0
    costs.learn(work(), 15.0, shortened=True)
    assert costs.expected(work()) == 11.0
