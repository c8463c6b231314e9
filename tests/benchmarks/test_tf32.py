"""What TF32 is, and that its imitation does that to every convolution and to nothing else."""

from pathlib import Path

import pytest
import torch

from benchmarks.gpu.bench import random_weights
from benchmarks.tf32 import ImitatedTF32, rounded
from service.weights import load


@pytest.mark.parametrize(
    ("number", "nearest"),
    [
        (1.0, 1.0),
        (0.0, 0.0),
        (1 + 2**-10, 1 + 2**-10),  # ten bits are kept
        (1 + 2**-12, 1.0),
        (1 + 2**-11, 1.0),  # in the middle: to the even one
        (1 + 3 * 2**-11, 1 + 2**-9),
        (1 + 2**-11 + 2**-23, 1 + 2**-10),
        (2 - 2**-23, 2.0),  # into the next power of two
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_becomes_the_nearest_with_ten_bits(number: float, nearest: float, sign: int) -> None:
    assert rounded(torch.tensor([sign * number])).tolist() == [sign * nearest]


def test_the_range_is_that_of_float32() -> None:
    numbers = torch.tensor([1e30, 1e-30])
    assert torch.allclose(rounded(numbers), numbers, rtol=2**-11, atol=0)


def test_an_imitated_network_errs_as_much_as_ten_bits_do(tmp_path: Path) -> None:
    random_weights(tmp_path / "random.pth")
    exact = load(str(tmp_path / "random.pth"), tmp_path).network
    imitated = ImitatedTF32(exact)
    x = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    there, here = (network(x, ["conv4_2"])["conv4_2"] for network in (exact, imitated))
    error = float((here - there).norm() / there.norm())
    assert 2**-14 < error < 2**-9
    gradient = torch.rand(there.shape, generator=torch.Generator().manual_seed(1))
    there, here = (network.adjoin("conv4_2", gradient) for network in (exact, imitated))
    error = float((here - there).norm() / there.norm())
    assert 2**-14 < error < 2**-9
