"""The coordinates keep a picture in its range and free of a pixel mesh."""

import pytest
import torch

from service.style.filters import low_pass
from service.style.optimiser.canvas import MARGIN, Canvas


def test_each_seed_moves_the_start_elsewhere_and_none_far() -> None:
    start = torch.full((1, 3, 32, 32), 0.5)
    canvas = Canvas(start, smooth=True)
    one, same, two = (canvas.paint(canvas.near_origin(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert 10 / 255 < (one - two).abs().mean() < 40 / 255
    assert (one - start).abs().mean() < 30 / 255


def test_the_origin_is_the_start() -> None:
    start = torch.rand(1, 3, 8, 9) * 0.9 + 0.05
    canvas = Canvas(start, smooth=True)
    torch.testing.assert_close(canvas.paint(canvas.origin()), start, rtol=0, atol=1e-6)


def test_a_start_outside_the_box_is_brought_inside() -> None:
    canvas = Canvas(torch.tensor([-0.5, 0.0, 1.0, 1.5]).view(1, 1, 2, 2), smooth=False)
    expected = torch.tensor([MARGIN, MARGIN, 1 - MARGIN, 1 - MARGIN]).view(1, 1, 2, 2)
    torch.testing.assert_close(canvas.paint(canvas.origin()), expected)


def test_no_coordinates_leave_the_box() -> None:
    canvas = Canvas(torch.rand(1, 3, 8, 8), smooth=True)
    x = canvas.paint(torch.randn(1, 3, 8, 8) * 1e4)
    assert x.min() >= 0
    assert x.max() <= 1


def assert_pullback_equals_autograd(canvas: Canvas) -> None:
    """At random coordinates, of a random linear loss."""
    u = torch.randn_like(canvas.origin(), requires_grad=True)
    weights = torch.randn_like(u)
    x = canvas.paint(u)
    (expected,) = torch.autograd.grad((x * weights).sum(), u)
    torch.testing.assert_close(canvas.pullback(x.detach(), weights), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("smooth", [True, False])
def test_pullback_equals_autograd(smooth: bool) -> None:
    assert_pullback_equals_autograd(Canvas(torch.rand(1, 3, 7, 6, dtype=torch.float64), smooth=smooth))


def test_the_filter_removes_what_alternates_from_pixel_to_pixel_and_keeps_what_is_flat() -> None:
    rows, columns = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    for mesh in (rows % 2, columns % 2, (rows + columns) % 2):
        filtered = low_pass((mesh.float() * 2 - 1).view(1, 1, 8, 8))
        assert filtered[..., 1:-1, 1:-1].abs().max() < 1e-6
    flat = torch.full((1, 3, 5, 4), 0.3)
    torch.testing.assert_close(low_pass(flat), flat)


def bounds(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each pixel its own."""
    generator = torch.Generator().manual_seed(3)
    one, other = (torch.rand(1, 1, height, width, dtype=torch.float64, generator=generator) for _ in "ab")
    return torch.minimum(one, other), torch.maximum(one, other)


def test_every_pixel_may_have_bounds_of_its_own() -> None:
    low, high = bounds(7, 6)
    start = torch.rand(1, 1, 7, 6, dtype=torch.float64)
    canvas = Canvas(start, smooth=True, low=low, high=high)
    margin = MARGIN * (high - low)
    expected = torch.minimum(torch.maximum(start, low + margin), high - margin)
    torch.testing.assert_close(canvas.paint(canvas.origin()), expected)
    far = canvas.paint(torch.randn(1, 1, 7, 6, dtype=torch.float64) * 1e4)
    assert (far >= low).all()
    assert (far <= high).all()


def test_pullback_within_such_bounds_equals_autograd() -> None:
    low, high = bounds(7, 6)
    start = torch.rand(1, 1, 7, 6, dtype=torch.float64)
    assert_pullback_equals_autograd(Canvas(start, smooth=True, low=low, high=high))


def test_a_pixel_without_room_stays_where_it_is() -> None:
    low, high = torch.full((1, 1, 4, 4), 0.3), torch.full((1, 1, 4, 4), 0.3)
    high[..., 2:] = 0.8
    canvas = Canvas(torch.full((1, 1, 4, 4), 0.5), smooth=False, low=low, high=high)
    x = canvas.paint(torch.randn(1, 1, 4, 4) * 5)
    gradient = canvas.pullback(x, torch.ones(1, 1, 4, 4))
    assert (x[..., :2] == 0.3).all()
    assert (gradient[..., :2] == 0).all()
    assert (gradient[..., 2:] > 0).all()


def some_free() -> torch.Tensor:
    """The left third cannot move, the middle one a little, the right one at will."""
    return torch.tensor([0.0, 0.5, 1.0]).repeat_interleave(3).expand(1, 1, 8, 9)


def test_a_black_start_is_kept_off_the_bound_as_far_as_it_is_free() -> None:
    free = some_free()
    canvas = Canvas(torch.zeros(1, 3, 8, 9), smooth=False, free=free)
    expected = (MARGIN * free).expand(1, 3, 8, 9)
    torch.testing.assert_close(canvas.paint(canvas.origin()), expected, rtol=1e-3, atol=1e-5)


def test_what_is_not_free_stays_as_it_was_even_black_and_white() -> None:
    start = torch.rand(1, 3, 8, 9).round(decimals=1)
    canvas = Canvas(start, smooth=True, free=some_free())
    x = canvas.paint(torch.randn(1, 3, 8, 9) * 10)
    torch.testing.assert_close(x[..., :3], start[..., :3], rtol=0, atol=1e-5)
    assert (x - start)[..., 3:].abs().mean() > 0.1


@pytest.mark.parametrize("smooth", [True, False])
def test_pullback_equals_autograd_where_not_all_is_free(smooth: bool) -> None:
    free = some_free().double()
    start = torch.rand(1, 3, 8, 9, dtype=torch.float64)
    assert_pullback_equals_autograd(Canvas(start, smooth=smooth, free=free))
