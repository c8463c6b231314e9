"""A picture that wraps around has no seam."""

import pytest
import torch
from torch import Tensor

from service.style import Masks, Options, close, finish, resample, stylize
from service.style.filters import low_pass, meeting
from service.style.inputs import Inputs
from service.style.loss.variation import variation, variation_gradient
from service.style.network import REPEAT, VGG, Padding
from service.style.options import Tile

BOTH = Padding("wrap", "wrap")


def periodic(height: int, width: int) -> Tensor:
    """A smooth picture, uint8 (3, height, width), that goes on at its opposite sides."""
    y, x = torch.meshgrid(torch.arange(height) / height, torch.arange(width) / width, indexing="ij")
    planes = [torch.sin(6.2832 * (x + shift)) + torch.cos(6.2832 * (y - shift)) for shift in (0, 0.2, 0.7)]
    return ((torch.stack(planes) / 4 + 0.5) * 255).to(torch.uint8)


def sloping(height: int, width: int) -> Tensor:
    """A picture, uint8 (3, height, width), of which all opposite sides differ by 120 levels, and have a texture."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    noise = torch.rand(3, height, width, generator=torch.Generator().manual_seed(0))
    return (torch.stack([x, y, (x + y) / 2]) * 120 + noise * 80).to(torch.uint8)


def seam(image: Tensor, dimension: int) -> float:
    """Mean step across the seam, of the largest mean step between any two neighbouring lines inside."""
    lines = image.float().movedim(dimension, 0)
    inside = lines.diff(dim=0).abs().mean((1, 2)).max()
    return ((lines[0] - lines[-1]).abs().mean() / inside).item()


def test_resampling_a_picture_that_wraps_is_the_same_wherever_it_is_cut() -> None:
    picture = periodic(64, 96)
    picture[:, 20:30, 90:] = 255
    for size in ((32, 48), (16, 24), (128, 192)):
        whole = resample.lanczos(picture, size, None, BOTH)
        turned = resample.lanczos(picture.roll((32, 48), (1, 2)), size, None, BOTH)
        assert torch.equal(turned, whole.roll((size[0] // 2, size[1] // 2), (1, 2)))
        alpha = torch.full((1, 64, 96), 255, dtype=torch.uint8)
        alpha[:, :8, :8] = 0
        seen = resample.lanczos(picture, size, alpha, BOTH).int()
        other = resample.lanczos(
            picture.roll((32, 48), (1, 2)), size, alpha.roll((32, 48), (1, 2)), BOTH
        ).int()
        assert (other - seen.roll((size[0] // 2, size[1] // 2), (1, 2))).abs().float().mean() < 1
    drawn = resample.dequantise(picture)
    for size in ((128, 192), (48, 60)):
        whole = resample.enlarge(drawn, size, BOTH)
        turned = resample.enlarge(drawn.roll((32, 48), (2, 3)), size, BOTH)
        torch.testing.assert_close(
            turned, whole.roll((size[0] // 2, size[1] // 2), (2, 3)), atol=1e-5, rtol=0
        )


def test_filter_and_variation_are_the_same_wherever_a_picture_is_cut() -> None:
    x = torch.rand(1, 3, 7, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    turned = x.roll((3, 4), (2, 3))
    torch.testing.assert_close(low_pass(turned, BOTH), low_pass(x, BOTH).roll((3, 4), (2, 3)))
    torch.testing.assert_close(variation(turned, BOTH), variation(x, BOTH))
    x.requires_grad_()
    (expected,) = torch.autograd.grad(variation(x, BOTH), x)
    torch.testing.assert_close(variation_gradient(x.detach(), BOTH), expected)


@pytest.mark.parametrize("tile", ["x", "y", "both"])
def test_the_loss_and_its_gradient_are_the_same_wherever_a_picture_is_cut(
    network: VGG, artwork: Tensor, tile: Tile
) -> None:
    options = Options(tile=tile, tv_weight=0.01)
    shift = (0 if tile == "x" else 16, 0 if tile == "y" else 32)
    photograph = periodic(48, 64)
    x = resample.dequantise(periodic(64, 48).transpose(1, 2))
    found = []
    for by in ((0, 0), shift):
        inputs = Inputs(photograph.roll(by, (1, 2)), [artwork], padding=options.padding)
        objective = inputs.objective(network.with_padding(options.padding), (48, 64), options)
        loss, gradient = objective.loss_and_gradient(x.roll(by, (2, 3)))
        found.append((loss, gradient.roll((-by[0], -by[1]), (2, 3))))
    torch.testing.assert_close(found[1][0], found[0][0], rtol=1e-5, atol=0)
    assert (found[1][1] - found[0][1]).norm() <= 1e-4 * found[0][1].norm()


@pytest.mark.parametrize(
    ("padding", "dimensions"),
    [(Padding("repeat", "wrap"), [2]), (Padding("wrap", "repeat"), [1]), (BOTH, [1, 2])],
)
def test_a_picture_is_closed_where_it_wraps_and_keeps_what_is_far_from_there(
    padding: Padding, dimensions: list[int]
) -> None:
    picture = sloping(151, 200)
    closed = close(picture, padding)
    assert closed.dtype == torch.uint8
    for dimension in (1, 2):
        assert (seam(closed, dimension) <= 1) == (dimension in dimensions)
    assert meeting(closed, padding) == padding
    change = (closed.float() - picture.float()).abs()
    assert change[:, 70:80, 90:110].max() <= 12


def test_a_picture_whose_sides_meet_stays_what_it_is_wherever_it_is_cut() -> None:
    noise = torch.randint(0, 256, (3, 40, 56), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    bricks = torch.full((3, 48, 64), 150, dtype=torch.uint8)
    bricks[:, ::12], bricks[:, :, ::16] = 220, 220
    for picture in (noise, periodic(75, 101), bricks, torch.zeros(3, 16, 16, dtype=torch.uint8)):
        for by in range(0, 101, 7):
            turned = picture.roll((by, by), (1, 2))
            assert close(turned, BOTH) is turned
    open_ = sloping(40, 56)
    assert close(open_, REPEAT) is open_


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("tile", "dimensions"), [("x", [2]), ("y", [1]), ("both", [1, 2])])
@pytest.mark.parametrize("size", [64, 101])
def test_a_painting_has_no_seam(
    network: VGG,
    artwork: Tensor,
    photograph: Tensor,
    size: int,
    tile: Tile,
    dimensions: list[int],
    masked: bool,
) -> None:
    photograph = close(resample.lanczos(photograph, (75, 101)), Options(tile=tile).padding)
    masks = None
    if masked:
        masks = Masks((torch.arange(101) // 51).expand(75, 101).to(torch.uint8))
    options = Options(size=size, tile=tile, iterations=30)
    result = finish(stylize(network, photograph, [artwork], options, masks=masks))
    assert tuple(result.image.shape[1:]) == resample.fit(75, 101, size)
    assert result.stopped == "iterations"
    for dimension in dimensions:
        assert seam(result.image, dimension) <= 1
