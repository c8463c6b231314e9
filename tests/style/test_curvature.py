"""The compact form is the two-loop recursion, for any number of pairs and after the oldest were dropped."""

import pytest
import torch
from torch import Tensor

from service.style.curvature import Curvature


def two_loops(pairs: list[tuple[Tensor, Tensor]], gradient: Tensor) -> Tensor:
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


def some_pairs(count: int, size: int) -> list[tuple[Tensor, Tensor]]:
    """Of a quadratic with a positive definite Hessian, so that s·y > 0."""
    random = torch.Generator().manual_seed(count)
    root = torch.randn(size, size, generator=random, dtype=torch.float64)
    hessian = root @ root.T + torch.eye(size, dtype=torch.float64)
    steps = [torch.randn(size, generator=random, dtype=torch.float64) for _ in range(count)]
    return [(s, hessian @ s) for s in steps]


@pytest.mark.parametrize("count", [1, 2, 5, 6, 7, 13])
def test_it_is_the_two_loop_recursion_over_the_latest_pairs(count: int) -> None:
    capacity, size = 6, 12
    gradient = torch.linspace(-1, 2, size, dtype=torch.float64)
    curvature = Curvature(capacity, gradient)
    pairs = some_pairs(count, size)
    for s, y in pairs:
        curvature.remember(s, y)
        product = curvature.times(gradient)  # after every pair, as the optimiser asks
    assert len(curvature) == min(count, capacity)
    torch.testing.assert_close(product, two_loops(pairs[-capacity:], gradient), rtol=1e-9, atol=1e-12)


def test_the_shape_of_a_picture_is_kept() -> None:
    picture = torch.ones(1, 3, 4, 5)
    curvature = Curvature(3, picture)
    curvature.remember(picture, 2 * picture)
    torch.testing.assert_close(curvature.times(picture), picture / 2)


def test_what_was_forgotten_has_no_effect() -> None:
    gradient = torch.linspace(-1, 2, 8, dtype=torch.float64)
    curvature = Curvature(4, gradient)
    old, *new = some_pairs(3, 8)
    curvature.remember(*old)
    curvature.times(gradient)
    curvature.clear()
    assert len(curvature) == 0
    for s, y in new:
        curvature.remember(s, y)
        product = curvature.times(gradient)
    torch.testing.assert_close(product, two_loops(new, gradient), rtol=1e-9, atol=1e-12)
