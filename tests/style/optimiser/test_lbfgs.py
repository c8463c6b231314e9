"""The optimiser finds minima, one evaluation at a time, and never returns anything that is not finite."""

import math

import pytest
import torch
from torch import Tensor

from service.style.optimiser.curvature import Curvature
from service.style.optimiser.lbfgs import LBFGS, Function


def with_autograd(loss_of: object) -> Function:
    def function(point: Tensor) -> tuple[Tensor, Tensor]:
        point = point.detach().requires_grad_()
        loss: Tensor = loss_of(point)  # type: ignore[operator]
        (gradient,) = torch.autograd.grad(loss, point)
        return loss.detach(), gradient

    return function


def rosenbrock(point: Tensor) -> Tensor:
    return (100 * (point[1:] - point[:-1] ** 2) ** 2 + (1 - point[:-1]) ** 2).sum()


def test_rosenbrocks_valley_is_followed_to_its_minimum() -> None:
    optimiser = LBFGS(with_autograd(rosenbrock), torch.full((6,), -0.5, dtype=torch.float64))
    for _ in range(200):
        optimiser.step()
    torch.testing.assert_close(optimiser.point, torch.ones(6, dtype=torch.float64), rtol=0, atol=1e-5)


def test_an_ill_conditioned_quadratic_is_solved() -> None:
    scales = torch.logspace(0, 4, 50, dtype=torch.float64)
    optimiser = LBFGS(
        with_autograd(lambda z: (scales * z**2).sum() / 2), torch.ones(50, dtype=torch.float64), history=30
    )
    optimiser.step()
    start = optimiser.loss
    for _ in range(300):
        optimiser.step()
    assert optimiser.loss < 1e-8 * start


def test_each_step_is_exactly_one_evaluation() -> None:
    calls = 0

    def function(point: Tensor) -> tuple[Tensor, Tensor]:
        nonlocal calls
        calls += 1
        return with_autograd(rosenbrock)(point)

    optimiser = LBFGS(function, torch.full((4,), -1.0))
    for count in range(1, 31):
        optimiser.step()
        assert calls == optimiser.evaluations == count


def test_the_point_is_the_best_of_all_that_were_evaluated() -> None:
    seen: list[float] = []

    def function(point: Tensor) -> tuple[Tensor, Tensor]:
        loss, gradient = with_autograd(rosenbrock)(point)
        seen.append(loss.item())
        return loss, gradient

    optimiser = LBFGS(function, torch.full((10,), -1.2, dtype=torch.float64), first_step=1.0)
    rose = False
    for _ in range(60):
        optimiser.step()
        rose = rose or seen[-1] > min(seen)
        assert optimiser.loss <= min(seen) * (1 + 1e-3)
        assert rosenbrock(optimiser.point).item() == pytest.approx(optimiser.loss)
    assert rose, "no evaluation was ever rejected: this run shows nothing"


@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("part", ["loss", "gradient"])
def test_a_value_that_is_not_finite_is_stepped_back_from(poison: float, part: str) -> None:
    """Beyond |z| > 1.5 the function is broken; the minimum inside is found all the same."""

    def function(point: Tensor) -> tuple[Tensor, Tensor]:
        loss, gradient = with_autograd(lambda z: ((z - 1) ** 2).sum())(point)
        if point.abs().max() > 1.5:
            if part == "loss":
                loss = torch.tensor(poison)
            else:
                gradient = gradient * poison
        return loss, gradient

    optimiser = LBFGS(function, torch.zeros(3), first_step=10.0)
    for _ in range(40):
        optimiser.step()
        assert torch.isfinite(optimiser.point).all()
    torch.testing.assert_close(optimiser.point, torch.ones(3), rtol=0, atol=1e-3)


def test_a_start_without_a_finite_loss_stalls_at_the_start() -> None:
    optimiser = LBFGS(lambda z: (torch.tensor(math.nan), z), torch.ones(3))
    optimiser.step()
    optimiser.step()
    assert optimiser.stalled
    assert optimiser.evaluations == 1
    assert torch.equal(optimiser.point, torch.ones(3))
    assert optimiser.loss == math.inf


def test_a_stationary_start_stalls() -> None:
    optimiser = LBFGS(with_autograd(lambda z: (z**2).sum()), torch.zeros(3))
    optimiser.step()
    assert optimiser.stalled
    assert optimiser.loss == 0


def test_a_gradient_that_lies_ends_in_a_stall_and_not_in_a_loop() -> None:
    """Along the reported descent direction the loss only rises."""
    optimiser = LBFGS(lambda z: ((z**2).sum(), -2 * z), torch.ones(3))
    for _ in range(100):
        optimiser.step()
    assert optimiser.stalled
    assert optimiser.evaluations < 100
    assert torch.equal(optimiser.point, torch.ones(3))


@pytest.mark.parametrize("sign", [-1.0, math.nan])
def test_where_the_curvature_leads_upwards_it_goes_down_the_gradient_and_the_curvature_is_forgotten(
    monkeypatch: pytest.MonkeyPatch, sign: float
) -> None:
    remember = Curvature.remember

    def misled(curvature: Curvature, step: Tensor, change: Tensor, when: Tensor, gradient: Tensor) -> Tensor:
        return remember(curvature, step, change, when, gradient).copy_(gradient * sign)

    optimiser = LBFGS(with_autograd(rosenbrock), torch.full((6,), -0.5, dtype=torch.float64), first_step=0.01)
    points = []
    for count in range(1, 5):
        if count == 3:
            assert pairs_of(optimiser) == 1
            monkeypatch.setattr(Curvature, "remember", misled)
        optimiser.step()
        points.append(optimiser.point.clone())
        if count == 3:
            monkeypatch.undo()
            assert pairs_of(optimiser) == 0
            _, gradient = with_autograd(rosenbrock)(optimiser.point)
    cosine = torch.nn.functional.cosine_similarity(points[3] - points[2], -gradient, dim=0)
    assert cosine > 1 - 1e-12, "the step after it is not along the gradient"
    assert pairs_of(optimiser) == 1, "only the pair of that step is known"
    assert optimiser.loss < rosenbrock(points[2]).item()


def pairs_of(optimiser: LBFGS) -> int:
    """How many pairs of its history count."""
    return int(optimiser._curvature._inverse.diagonal().count_nonzero())


@pytest.mark.parametrize("recordable", [False, True])
def test_several_evaluations_at_once_are_those_that_come_one_by_one(recordable: bool) -> None:
    def optimiser() -> LBFGS:
        start = torch.full((10,), -1.2, dtype=torch.float64)
        return LBFGS(with_autograd(rosenbrock), start, first_step=1.0, history=7, recordable=recordable)

    one, several = optimiser(), optimiser()
    losses = [loss for count in (1, 7, 2, 20) for loss in several.step(count)]
    assert losses == [loss for _ in range(30) for loss in one.step()]
    assert len(set(losses)) < len(losses), "no evaluation was rejected: this run shows little"
    assert torch.equal(several.point, one.point)
    assert several.evaluations == one.evaluations == 30
    assert several.loss == one.loss == losses[-1]


def test_of_evaluations_at_once_those_after_a_stall_do_not_count() -> None:
    one, several = (LBFGS(lambda z: ((z**2).sum(), -2 * z), torch.ones(3)) for _ in range(2))
    while not one.stalled:
        one.step()
    losses = several.step(100)
    assert several.stalled
    assert len(losses) == several.evaluations == one.evaluations
    assert several.step(5) == []


def test_the_start_is_left_alone() -> None:
    start = torch.full((6,), -0.5)
    optimiser = LBFGS(with_autograd(rosenbrock), start)
    optimiser.step(10)
    assert torch.equal(start, torch.full((6,), -0.5))
    assert not torch.equal(optimiser.point, start)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_the_size_of_the_loss_changes_nothing(scale: float) -> None:
    """Squares of such gradients are beyond float32."""

    def scaled(point: Tensor) -> tuple[Tensor, Tensor]:
        loss, gradient = with_autograd(rosenbrock)(point)
        return loss * scale, gradient * scale

    start = torch.full((6,), -0.5)
    usual, other = LBFGS(with_autograd(rosenbrock), start), LBFGS(scaled, start)
    usual.step(15)
    other.step(15)
    torch.testing.assert_close(other.point, usual.point, rtol=1e-2, atol=1e-2)
    assert other.loss / scale == pytest.approx(usual.loss, rel=1e-2)
