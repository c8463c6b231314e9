"""The arithmetic is the paper's: every equation against loops written from the text, in float64."""

import itertools

import numpy as np
import pytest
import torch

from service.style.loss import losses


def responses(seed: int, n: int = 3, height: int = 4, width: int = 5) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, n, height, width, dtype=torch.float64, generator=generator).relu()


def as_matrix(response: torch.Tensor) -> np.ndarray:
    """The paper's F: N_l rows, M_l columns."""
    return np.array(response[0].tolist()).reshape(response.shape[1], -1)


def gram_by_hand(response: torch.Tensor) -> np.ndarray:
    f = as_matrix(response)
    g = np.zeros((f.shape[0], f.shape[0]))
    for i, j, k in itertools.product(range(f.shape[0]), range(f.shape[0]), range(f.shape[1])):
        g[i, j] += f[i, k] * f[j, k]
    return g


def test_content_loss_is_equation_1() -> None:
    f, p = responses(0), responses(1)
    by_hand = 0.0
    for i, j in itertools.product(range(3), range(20)):
        by_hand += 0.5 * (as_matrix(f)[i, j] - as_matrix(p)[i, j]) ** 2
    assert losses.content_loss(f, p).item() == pytest.approx(by_hand, rel=1e-14)


def test_gram_is_equation_3_divided_by_the_positions() -> None:
    f = responses(2)
    assert losses.gram(f).numpy() == pytest.approx(gram_by_hand(f) / 20, rel=1e-14)


def test_layer_loss_is_equation_4_where_sizes_are_equal() -> None:
    f, a = responses(3), responses(4)
    n, m = as_matrix(f).shape
    by_hand = ((gram_by_hand(f) - gram_by_hand(a)) ** 2).sum() / (4 * n**2 * m**2)
    assert losses.style_layer_loss(losses.gram(f), losses.gram(a)).item() == pytest.approx(by_hand, rel=1e-13)


def test_content_gradient_is_equation_2() -> None:
    before_relu = torch.randn(1, 3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    before_relu.requires_grad_()
    p = responses(6)
    f = before_relu.relu()
    (expected,) = torch.autograd.grad(losses.content_loss(f, p), before_relu)
    ours = losses.content_gradient(f, p) * (f > 0)
    torch.testing.assert_close(ours.detach(), expected, rtol=1e-14, atol=0)


def test_style_gradient_is_equation_6() -> None:
    before_relu = torch.randn(1, 3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    before_relu.requires_grad_()
    a = responses(8, height=6, width=7)  # another size: each Gram matrix has its own M
    f = before_relu.relu()
    (expected,) = torch.autograd.grad(losses.style_layer_loss(losses.gram(f), losses.gram(a)), before_relu)
    ours = losses.style_layer_gradient(f, losses.gram(f), losses.gram(a)) * (f > 0)
    torch.testing.assert_close(ours.detach(), expected, rtol=1e-12, atol=1e-16)


def test_style_gradient_is_the_papers_formula_where_sizes_are_equal() -> None:
    f, a = responses(9), responses(10)
    n, m = as_matrix(f).shape
    by_hand = (as_matrix(f).T @ (gram_by_hand(f) - gram_by_hand(a))).T / (n**2 * m**2)
    ours = losses.style_layer_gradient(f, losses.gram(f), losses.gram(a))
    assert as_matrix(ours) == pytest.approx(by_hand, rel=1e-12)


def test_gram_of_an_all_ones_map_is_all_ones_after_division() -> None:
    assert torch.equal(losses.gram(torch.ones(1, 4, 6, 8)), torch.ones(4, 4))


def test_gram_does_not_depend_on_the_size_of_a_repeated_pattern() -> None:
    small = responses(11, height=8, width=8)
    torch.testing.assert_close(losses.gram(small.repeat(1, 1, 3, 2)), losses.gram(small), rtol=1e-13, atol=0)


def test_gram_refuses_a_batch() -> None:
    with pytest.raises(ValueError, match=r"shape \(1, N, H, W\)"):
        losses.gram(torch.ones(2, 4, 6, 8))


def guide(height: int = 4, width: int = 5) -> torch.Tensor:
    """Some positions wholly inside, some in part, some not at all."""
    generator = torch.Generator().manual_seed(12)
    return (torch.rand(height, width, dtype=torch.float64, generator=generator) * 2 - 0.5).clamp(0, 1)


def test_a_guided_gram_weighs_each_position_by_the_square_of_its_guide() -> None:
    f, t = responses(13), guide()
    weights = np.array(t.flatten().tolist()) ** 2
    by_hand = (as_matrix(f) * weights) @ as_matrix(f).T / weights.sum()
    assert losses.gram(f, t).numpy() == pytest.approx(by_hand, rel=1e-13)


def test_a_guided_gram_of_part_of_a_picture_is_the_gram_of_that_part() -> None:
    f, t = responses(14), torch.zeros(4, 5, dtype=torch.float64)
    t[1:3, 2:] = 1
    torch.testing.assert_close(losses.gram(f, t), losses.gram(f[..., 1:3, 2:]), rtol=1e-13, atol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_guide_of_ones_changes_nothing_and_one_of_any_constant_only_rounding(dtype: torch.dtype) -> None:
    f, a = (responses(seed, 8, 12, 10).to(dtype) for seed in (15, 16))
    ones = torch.ones(12, 10)
    plain, target = losses.gram(f), losses.gram(a)
    assert torch.equal(losses.gram(f, ones), plain)
    assert torch.equal(
        losses.style_layer_gradient(f, plain, target, ones), losses.style_layer_gradient(f, plain, target)
    )
    loose = 5e-3 if dtype == torch.bfloat16 else 1e-5
    torch.testing.assert_close(losses.gram(f, ones * 0.3), plain, rtol=loose, atol=loose * plain.max().item())


def test_the_guided_gradient_is_autograds() -> None:
    before_relu = torch.randn(1, 3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(17))
    before_relu.requires_grad_()
    a, t = losses.gram(responses(18, height=6, width=7), guide(6, 7)), guide()
    f = before_relu.relu()
    (expected,) = torch.autograd.grad(losses.style_layer_loss(losses.gram(f, t), a), before_relu)
    ours = losses.style_layer_gradient(f, losses.gram(f, t), a, t) * (f > 0)
    torch.testing.assert_close(ours.detach(), expected, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize(("height", "width"), [(2, 3), (12, 10), (40, 50)])
def test_a_bfloat16_gram_matrix_is_that_of_its_numbers(height: int, width: int) -> None:
    """Of few positions, which are multiplied as float32, and of many, which are multiplied in blocks."""
    f = responses(19, 64, height, width).bfloat16()
    expected = losses.gram(f.double())
    torch.testing.assert_close(
        losses.gram(f).double(), expected, rtol=2e-3, atol=2e-3 * expected.max().item()
    )
