"""The compact form is the two-loop recursion, for any number of pairs and after the oldest were dropped."""

import pytest
import torch
from torch import Tensor

from service.style.optimiser.curvature import Curvature

SIZE = 12
GRADIENT = torch.linspace(-1, 2, SIZE, dtype=torch.float64)
YES, NO = torch.tensor(True), torch.tensor(False)

Pair = tuple[Tensor, Tensor]


def two_loops(pairs: list[Pair], gradient: Tensor) -> Tensor:
    """Nocedal & Wright, algorithm 7.4, word for word."""
    q, alphas = gradient.clone(), []
    for s, y in reversed(pairs):
        alphas.append((s @ q) / (y @ s))
        q = q - alphas[-1] * y
    s, y = pairs[-1]
    r = q * (s @ y) / (y @ y)
    for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
        r = r + s * (alpha - (y @ r) / (y @ s))
    return r


def some_pairs(count: int) -> list[Pair]:
    """Of a quadratic with a positive definite Hessian, so that s·y > 0."""
    random = torch.Generator().manual_seed(count)
    root = torch.randn(SIZE, SIZE, generator=random, dtype=torch.float64)
    hessian = root @ root.T + torch.eye(SIZE, dtype=torch.float64)
    steps = [torch.randn(SIZE, generator=random, dtype=torch.float64) for _ in range(count)]
    return [(s, hessian @ s) for s in steps]


def remembered(curvature: Curvature, pair: Pair, when: Tensor = YES) -> Tensor:
    s, y = pair
    return curvature.remember(s.clone(), y.clone(), when, GRADIENT)


def assert_same(product: Tensor, pairs: list[Pair]) -> None:
    torch.testing.assert_close(product, two_loops(pairs, GRADIENT), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5, 6, 7, 13])
def test_it_is_the_two_loop_recursion_over_the_latest_pairs(count: int, whole: bool) -> None:
    curvature = Curvature(6, GRADIENT, whole=whole)
    pairs = some_pairs(count)
    for number, pair in enumerate(pairs, start=1):
        assert_same(remembered(curvature, pair), pairs[:number][-6:])


def test_the_shape_of_a_picture_is_kept() -> None:
    picture = torch.ones(1, 3, 4, 5)
    product = Curvature(3, picture).remember(picture.clone(), 2 * picture, YES, picture)
    torch.testing.assert_close(product, picture / 2)


@pytest.mark.parametrize("spoilt", [float("nan"), float("inf"), 1.0])
def test_a_pair_that_is_not_to_be_kept_has_no_effect_whatever_is_in_it(spoilt: float) -> None:
    curvature, pairs = Curvature(6, GRADIENT), some_pairs(5)
    broken = GRADIENT * spoilt, -GRADIENT * spoilt
    assert not remembered(curvature, broken, NO).any(), "nothing is known"
    for number, pair in enumerate(pairs, start=1):
        remembered(curvature, pair)
        assert_same(remembered(curvature, broken, NO), pairs[:number])


def test_where_there_is_no_room_a_pair_that_is_not_kept_costs_the_oldest_and_no_other() -> None:
    curvature, pairs = Curvature(6, GRADIENT), some_pairs(8)
    for pair in pairs[:6]:
        remembered(curvature, pair)
    for _ in range(3):
        assert_same(remembered(curvature, pairs[0], NO), pairs[1:6])
    assert_same(remembered(curvature, pairs[6]), pairs[1:7])
    assert_same(remembered(curvature, pairs[7]), pairs[2:8])


@pytest.mark.parametrize("before", [1, 3, 6, 8])
def test_what_was_forgotten_has_no_effect(before: int) -> None:
    curvature, pairs = Curvature(6, GRADIENT), some_pairs(before + 8)
    for pair in pairs[:before]:
        remembered(curvature, pair)
    curvature.clear(NO)
    assert remembered(curvature, pairs[0], NO).any(), "nothing was forgotten yet"
    curvature.clear(YES)
    assert not remembered(curvature, pairs[0], NO).any()
    for number in range(before, before + 8):
        product = remembered(curvature, pairs[number])
        assert_same(product, pairs[before : number + 1][-6:])
