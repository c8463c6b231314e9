import pytest
import torch
from torch import Tensor

from service.style.loss.anchor import AnchorTerm


def term(channels: int, weight: float = 0.3) -> tuple[AnchorTerm, Tensor]:
    target = torch.rand(1, channels, 7, 5, dtype=torch.float64)
    held = torch.rand(1, 1, 7, 5, dtype=torch.float64)
    return AnchorTerm(weight, target, held), torch.rand(1, channels, 7, 5, dtype=torch.float64)


def test_it_is_the_sum_of_squared_differences_in_steps_of_8_bits_times_how_much_is_held() -> None:
    target = torch.zeros(1, 3, 1, 3)
    x = torch.tensor([1.0, 2.0, 3.0]).expand(1, 3, 1, 3) / 255
    held = torch.tensor([[[[1.0, 0.5, 0.0]]]])
    assert AnchorTerm(2.0, target, held).loss(x).item() == pytest.approx(2 * 3 * (1 + 0.5 * 4))


@pytest.mark.parametrize("channels", [1, 3])
def test_its_gradient_equals_autograds(channels: int) -> None:
    anchor, x = term(channels)
    x.requires_grad_()
    (expected,) = torch.autograd.grad(anchor.loss(x), x)
    torch.testing.assert_close(anchor.gradient(x.detach()), expected, rtol=1e-12, atol=1e-8)


def test_a_grey_picture_has_that_of_its_three_channels() -> None:
    grey, x = term(1)
    wide = AnchorTerm(grey.weight, grey.target.expand(-1, 3, -1, -1), grey.held)
    torch.testing.assert_close(grey.loss(x), wide.loss(x.expand(-1, 3, -1, -1)))
