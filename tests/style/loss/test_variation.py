import pytest
import torch

from service.style.loss.variation import variation, variation_gradient


def test_it_is_the_sum_of_squared_differences_in_steps_of_8_bits() -> None:
    x = torch.zeros(1, 3, 2, 3)
    x[0, 1] = torch.tensor([[0, 1, 1], [0, 0, 2]]) / 255
    rows, columns = 0 + 1 + 1, 1 + 0 + 0 + 4
    assert variation(x).item() == pytest.approx(rows + columns)


def test_a_flat_picture_has_none() -> None:
    assert variation(torch.full((1, 3, 5, 4), 0.7)).item() == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_its_gradient_equals_autograds(channels: int) -> None:
    x = torch.rand(1, channels, 7, 5, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(variation(x), x)
    torch.testing.assert_close(variation_gradient(x.detach()), expected, rtol=1e-12, atol=1e-8)


def test_a_grey_picture_has_that_of_its_three_channels() -> None:
    grey = torch.rand(1, 1, 9, 8)
    torch.testing.assert_close(variation(grey), variation(grey.expand(-1, 3, -1, -1)))
