"""The coordinates keep a picture in its range and free of a pixel mesh."""

import pytest
import torch

from service.style.canvas import MARGIN, Canvas, low_pass


def test_a_seed_moves_the_start_by_what_nobody_sees() -> None:
    canvas = Canvas(torch.full((1, 3, 32, 32), 0.5), smooth=True)
    one, same, two = (canvas.paint(canvas.near_origin(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert 1 / 255 < (one - two).abs().mean() < 4 / 255


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


@pytest.mark.parametrize("smooth", [True, False])
def test_pullback_equals_autograd(smooth: bool) -> None:
    canvas = Canvas(torch.rand(1, 3, 7, 6, dtype=torch.float64), smooth=smooth)
    u = torch.randn(1, 3, 7, 6, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(1, 3, 7, 6, dtype=torch.float64)
    x = canvas.paint(u)
    (expected,) = torch.autograd.grad((x * weights).sum(), u)
    torch.testing.assert_close(canvas.pullback(x.detach(), weights), expected, rtol=1e-12, atol=1e-14)


def test_the_filter_removes_what_alternates_from_pixel_to_pixel_and_keeps_what_is_flat() -> None:
    rows, columns = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    for mesh in (rows % 2, columns % 2, (rows + columns) % 2):
        filtered = low_pass((mesh.float() * 2 - 1).view(1, 1, 8, 8))
        assert filtered[..., 1:-1, 1:-1].abs().max() < 1e-6
    flat = torch.full((1, 3, 5, 4), 0.3)
    torch.testing.assert_close(low_pass(flat), flat)
