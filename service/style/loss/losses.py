"""Equations 1 to 4 and 6 of the paper, each next to its number, with the gradients that the paper gives.

Equations 5 and 7, the weighted sums, are what `objective` adds up.

Notation (arXiv:1508.06576, section "Methods"): F and P are the responses of one layer to the generated picture x
and to the photograph p, G and A the Gram matrices of x and of the artwork a. A layer has N maps of M = H·W
positions. Responses come as (1, N, H, W), post-ReLU. Every function works in the dtype it is given.

One deviation, so that x and a may differ in size: a Gram matrix here is divided by its own M. With equal sizes
the losses are the paper's to the letter: 1/(4 N² M²) Σ (G - A)² = 1/(4 N²) Σ (G/M - A/M)².

Where a style belongs to a part of the picture only, a guide says how much each position counts, t in [0, 1] (Gatys et
al. 2017, arXiv:1611.07865, section 4): F becomes t∘F, and M the sum of t². A guide of ones changes nothing.
"""

import torch
from torch import Tensor

MOST_BLOCKS = 16
"""Into which the positions of a bfloat16 response are divided for its Gram matrix."""


def content_loss(response: Tensor, target: Tensor, amounts: Tensor | None = None) -> Tensor:
    """Eq. 1: ½ Σ (F - P)², a scalar. Both (1, N, H, W).

    With `amounts` a, (H, W), ½ Σ a (F - P)²: how much each position counts.
    """
    squares = (response - target).square()
    return (squares if amounts is None else squares.mul_(amounts)).sum() / 2


def content_gradient(response: Tensor, target: Tensor, amounts: Tensor | None = None) -> Tensor:
    """Eq. 2: dL_content/dF = F - P, (1, N, H, W); with amounts a (F - P).

    The paper's second case (0 where F < 0) is the ReLU's own derivative; `evaluation` applies it.
    """
    difference = response - target
    return difference if amounts is None else difference.mul_(amounts)


def gram(response: Tensor, guide: Tensor | None = None, total: int | Tensor | None = None) -> Tensor:
    """Eq. 3, divided by the number of positions: G/M = F Fᵀ / M, (N, N), of a response (1, N, H, W).

    With a guide t, (H, W), the Gram matrix of a part: Σ t² F Fᵀ / Σ t² over the positions. One t at least is not 0.

    With `total`, M or Σ t² is that: a response in strips has the sum of theirs, if each is told the total of all.

    A bfloat16 response is multiplied in blocks of positions, whose products are rounded, but not their sum, which is
    float32: an error of about 3e-4, for a third of the time that float32 takes.

    Raises:
        ValueError: the batch is not 1.
    """
    if response.dim() != 4 or response.shape[0] != 1:
        raise ValueError(f"a response has shape (1, N, H, W), not {tuple(response.shape)}")
    maps = response[0].permute(1, 2, 0).flatten(0, 1)  # (M, N), as channels_last keeps it in memory: no copy
    count, n = maps.shape
    if total is None:
        total = count if guide is None else guide_total(guide, response.dtype)
    if guide is not None:
        maps = maps * _column(guide, response.dtype)
    blocks = min(MOST_BLOCKS, 4 * count // n)
    if response.dtype != torch.bfloat16:
        return maps.T @ maps / total
    if blocks < 2:  # too few positions to be worth it
        maps = maps.float()
        return maps.T @ maps / total
    length = count // blocks
    whole, rest = maps[: blocks * length].view(blocks, length, n), maps[blocks * length :].float()
    products = torch.bmm(whole.transpose(1, 2), whole).float().sum(0)
    return (products + rest.T @ rest) / total


def style_layer_loss(gram_: Tensor, target: Tensor) -> Tensor:
    """Eq. 4: E_l = 1/(4 N²) Σ (G/M - A/M)², a scalar, of two Gram matrices (N, N) as `gram` gives them."""
    return (gram_ - target).square().sum() / (4 * gram_.shape[0] ** 2)


def style_layer_gradient(
    response: Tensor,
    gram_: Tensor,
    target: Tensor,
    guide: Tensor | None = None,
    total: int | Tensor | None = None,
) -> Tensor:
    """Eq. 6: dE_l/dF = 1/(N² M) (G/M - A/M) F, (1, N, H, W); with equal sizes 1/(N² M²) ((Fᵀ (G - A))ᵀ.

    With the guide t that the Gram matrix was made with: 1/(N² Σ t²) t² ∘ (G/M - A/M) F. For a strip of a response,
    with a guide of its rows, `total` is the M or the Σ t² of the whole.

    As for eq. 2, the case F < 0 belongs to the ReLU. The Gram matrices may be more precise than the response; the
    product is computed in the response's dtype.
    """
    _, n, height, width = response.shape
    if total is None:
        total = height * width if guide is None else guide_total(guide, response.dtype)
    difference = ((gram_ - target) / (n**2 * total)).to(response.dtype)
    # F as (M, N) is how channels_last keeps it in memory: no copy, and the result comes out the same way.
    maps = response[0].permute(1, 2, 0).reshape(-1, n)
    gradient = maps @ difference
    if guide is not None:
        gradient *= _column(guide, response.dtype).square()
    return gradient.view(1, height, width, n).permute(0, 3, 1, 2)


def guide_total(guide: Tensor, dtype: torch.dtype) -> Tensor:
    """Σ t² of a guide (H, W), a scalar: of the t as they are rounded for a response of this dtype.

    So a guide has no scale of its own.
    """
    precise = torch.float32 if dtype == torch.bfloat16 else dtype
    return _column(guide, dtype).to(precise).square().sum()


def _column(guide: Tensor, dtype: torch.dtype) -> Tensor:
    """t, (M, 1), as it is multiplied with a response."""
    return guide.flatten()[:, None].to(dtype)
