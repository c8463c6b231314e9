"""What stands around a picture, and that its gradient comes back to where it was taken from."""

import itertools
from typing import get_args

import pytest
import torch
from torch import Tensor

from service.style.network.padding import REPEAT, Beyond, Padding

BEYOND: tuple[Beyond, ...] = get_args(Beyond)
PADDINGS = [Padding(rows, columns) for rows, columns in itertools.product(BEYOND, repeat=2)]
SIZES = [(1, 1), (1, 4), (3, 1), (2, 3), (5, 4)]


def picture(*size: int) -> Tensor:
    return torch.rand(1, 2, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_rows_and_columns_have_what_stands_beyond_them() -> None:
    x = torch.tensor([[1.0, 2, 3], [4, 5, 6]])[None, None]
    assert Padding("repeat", "wrap").around(x)[0, 0].tolist() == [
        [3, 1, 2, 3, 1],
        [3, 1, 2, 3, 1],
        [6, 4, 5, 6, 4],
        [6, 4, 5, 6, 4],
    ]
    assert Padding("wrap", "zero").around(x)[0, 0].tolist() == [
        [0, 4, 5, 6, 0],
        [0, 1, 2, 3, 0],
        [0, 4, 5, 6, 0],
        [0, 1, 2, 3, 0],
    ]
    assert REPEAT.around(x)[0, 0, 0].tolist() == [1, 1, 2, 3, 3]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("padding", PADDINGS, ids=str)
def test_fold_is_the_adjoint(padding: Padding, size: tuple[int, int]) -> None:
    x = picture(*size).requires_grad_()
    around = padding.around(x)
    gradient = torch.rand_like(around)
    (expected,) = torch.autograd.grad(around, x, gradient)
    apart = gradient[:, :, 1:-1, 1:-1].clone()
    rows, columns = gradient[:, :, [0, -1]], gradient[:, :, 1:-1, [0, -1]]
    padding.fold_margin(apart, rows, columns)
    torch.testing.assert_close(apart, expected)
    torch.testing.assert_close(padding.fold(gradient), expected)


@pytest.mark.parametrize("padding", PADDINGS, ids=str)
def test_channels_last_stays_so(padding: Padding) -> None:
    x = picture(5, 4).contiguous(memory_format=torch.channels_last)
    around = padding.around(x)
    assert around.is_contiguous(memory_format=torch.channels_last)
    assert padding.fold(around).is_contiguous(memory_format=torch.channels_last)
