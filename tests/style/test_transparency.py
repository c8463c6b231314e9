import torch
from torch import Tensor

from service.style import transparency
from service.style.copies import Copies

GOLD = torch.tensor([250, 205, 60], dtype=torch.uint8)[:, None, None]


def disc(hidden: int, size: int = 200) -> tuple[Tensor, Tensor]:
    """A golden disc that was cut out, and what its file has where nothing is seen."""
    y, x = torch.meshgrid(*[torch.arange(size) - (size - 1) / 2] * 2, indexing="ij")
    alpha = ((size / 3 - (x**2 + y**2).sqrt() + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)[None]
    return torch.where(alpha > 0, GOLD, torch.tensor(hidden, dtype=torch.uint8)), alpha


def test_what_is_hidden_does_not_come_into_a_smaller_picture() -> None:
    black, white = (transparency.resize(*disc(hidden), (31, 31)) for hidden in (0, 255))
    assert torch.equal(black[0], white[0])
    assert torch.equal(black[1], white[1])


def test_the_edge_of_a_cut_out_keeps_its_colour_when_it_is_resized() -> None:
    rgb, alpha = transparency.resize(*disc(0), (31, 31))
    edge = ((alpha > 0) & (alpha < 255))[0]
    assert edge.sum() > 20
    assert (rgb.int() - GOLD.int())[:, edge].abs().max() <= 1


def test_a_pale_shadow_beside_something_white_does_not_darken_it() -> None:
    rgb = torch.zeros(3, 40, 40, dtype=torch.uint8)
    rgb[:, :, :21] = 255
    alpha = torch.full((1, 40, 40), 25, dtype=torch.uint8)
    alpha[:, :, :21] = 255
    small, seen = transparency.resize(rgb, alpha, (20, 20))  # whose eleventh column is half of each
    on_white = small.int() * seen / 255 + 255 - seen
    assert on_white.min() > 255 - 25 - 2


def test_what_is_seen_stays_as_it_is_when_the_rest_is_filled() -> None:
    rgb, alpha = disc(0)
    noisy = torch.randint(0, 256, rgb.shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    filled = transparency.fill(noisy, alpha)
    seen = (alpha >= transparency.FAINT).expand_as(rgb)
    assert torch.equal(filled[seen], noisy[seen])


def test_what_is_hidden_is_filled_with_the_colours_near_it() -> None:
    left = torch.tensor([200, 30, 10], dtype=torch.uint8)[:, None, None]
    right = torch.tensor([20, 40, 220], dtype=torch.uint8)[:, None, None]
    rgb = torch.zeros(3, 37, 101, dtype=torch.uint8)
    alpha = torch.zeros(1, 37, 101, dtype=torch.uint8)
    rgb[:, :, :10], rgb[:, :, -10:] = left, right
    alpha[:, :, :10] = alpha[:, :, -10:] = 255
    filled = transparency.fill(rgb, alpha).int()
    assert (filled[:, :, 10:12] - left).abs().max() < 40
    assert (filled[:, :, -12:-10] - right).abs().max() < 40
    assert filled[0, 18, 50] < filled[0, 18, 25] < 200
    assert filled.sum(0).min() > 200  # and nowhere as black as it was


def test_a_picture_that_is_faint_everywhere_still_has_its_colours() -> None:
    rgb, _ = disc(0)
    faint = torch.full((1, 200, 200), transparency.FAINT // 2, dtype=torch.uint8)
    assert (transparency.fill(rgb, faint)[:, 95:105, 95:105].int() - GOLD.int()).abs().max() < 12


def test_an_opaque_picture_stays_the_same() -> None:
    rgb, alpha = disc(0)
    assert transparency.fill(rgb, torch.full_like(alpha, 255)) is rgb


def test_copies_of_a_picture_with_alpha_are_those_of_what_is_seen() -> None:
    (black, alpha), (white, _) = disc(0), disc(255)
    copies = [Copies().of(transparency.fill(rgb, alpha), (64, 64), alpha) for rgb in (black, white)]
    assert torch.equal(*copies)
    assert (copies[0].int() - GOLD.int()).abs().max() <= 1
