"""Each measure of the judge, on pictures whose answer is known."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks.engine.judge.measures import frequencies
from benchmarks.engine.judge.measures.cfsd import cfsd
from benchmarks.engine.judge.measures.colours import colour_distance
from benchmarks.engine.judge.measures.dists import LAYERS, TEXTURE, dists
from benchmarks.engine.judge.measures.features import LAST_OF_BLOCKS, l2_pool
from benchmarks.engine.judge.measures.judge import MEASURES, Judge
from benchmarks.engine.judge.measures.lpips import WEIGHTS, lpips
from benchmarks.engine.judge.measures.rim import rim
from devtools.weights import random_weights
from service.weights import load

SIZE = (64, 80)


def levels(plane: Tensor) -> Tensor:
    """uint8 (3, H, W), grey, of a plane in levels."""
    return plane.round().clamp(0, 255).to(torch.uint8).expand(3, *plane.shape).contiguous()


def noise(amplitude: float, seed: int = 0) -> Tensor:
    return amplitude * torch.randn(3, *SIZE, generator=torch.Generator().manual_seed(seed))


def disturbed(picture: Tensor, amplitude: float) -> Tensor:
    return (picture + noise(amplitude)).round().clamp(0, 255).to(torch.uint8)


def grating(period: float, amplitude: float) -> Tensor:
    """Vertical stripes around mid-grey."""
    return levels(128 + amplitude * (2 * math.pi * torch.arange(SIZE[1]) / period).cos().expand(*SIZE))


@pytest.fixture(scope="module")
def photograph() -> Tensor:
    """Blots of colour on a flat ground."""
    coarse = torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(1))
    smooth = torch.nn.functional.interpolate(coarse, size=SIZE, mode="bicubic")[0].clamp(0, 1)
    smooth[:, :, 50:] = 0.5
    return (smooth * 255).round().to(torch.uint8)


@pytest.fixture(scope="module")
def judge(photograph: Tensor, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    folder: Path = tmp_path_factory.mktemp("weights")
    random_weights(folder / "random.pth")
    network = load(str(folder / "random.pth"), folder).network
    return Judge(network, photograph, photograph, SIZE)


@pytest.fixture(scope="module")
def ever_noisier(judge: Judge, photograph: Tensor) -> list[dict[str, float]]:
    """What is measured of the photograph, and of it with ever more noise."""
    return [judge.measure(disturbed(photograph, amplitude)) for amplitude in (0, 8, 24, 72)]


@pytest.mark.parametrize("name", ["content", "style", "total", "lpips", "cfsd", "dists", "colours", "rim"])
def test_the_photograph_itself_is_no_distance_away(ever_noisier: list[dict[str, float]], name: str) -> None:
    assert ever_noisier[0][name] == pytest.approx(0, abs=1e-4)


def test_every_measure_is_taken(ever_noisier: list[dict[str, float]]) -> None:
    assert list(ever_noisier[0]) == list(MEASURES)
    assert all(map(math.isfinite, ever_noisier[0].values()))


@pytest.mark.parametrize(
    "name", ["content", "style", "total", "lpips", "cfsd", "dists", "colours", "mesh", "weave"]
)
def test_more_noise_is_farther_away(ever_noisier: list[dict[str, float]], name: str) -> None:
    found = [measures[name] for measures in ever_noisier]
    assert found == sorted(found)
    assert found[0] < found[1] < found[3]


def test_more_noise_leaves_less_of_the_lines(ever_noisier: list[dict[str, float]]) -> None:
    found = [measures["lines"] for measures in ever_noisier]
    assert found[0] == pytest.approx(1)
    assert found == sorted(found, reverse=True)


def test_lpips_of_responses_with_nothing_in_common_is_twice_the_sum_of_its_weights() -> None:
    """Of unit vectors at right angles |y - y'|² = 2, however long the responses are."""
    first = {name: torch.tensor([3.0, 0]).view(1, 2, 1, 1).expand(1, 2, 4, 5) for name in LAST_OF_BLOCKS}
    second = {name: torch.tensor([0, 7.0]).view(1, 2, 1, 1).expand(1, 2, 4, 5) for name in LAST_OF_BLOCKS}
    assert lpips(first, second) == pytest.approx(2 * sum(WEIGHTS.values()))


def test_cfsd_of_two_unlike_positions_that_become_alike() -> None:
    """In units of its root mean square F Fᵀ / N is the unit matrix, and of the picture the same everywhere."""
    photograph = torch.eye(2).view(1, 2, 1, 2)
    picture = torch.ones(1, 2, 1, 2)
    p = math.e / (math.e + 1)
    assert cfsd(photograph, picture) == pytest.approx(p * math.log(2 * p) + (1 - p) * math.log(2 * (1 - p)))


def test_cfsd_is_the_same_in_any_units() -> None:
    first, second = (torch.rand(1, 8, 6, 6, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    assert cfsd(1e3 * first, 1e3 * second) == pytest.approx(cfsd(first, second), rel=1e-4)


def test_dists_of_flat_responses_of_one_and_two() -> None:
    """l = 2·1·2 / (1 + 4) in each layer; nothing varies, so s = 1."""
    first = {name: torch.ones(1, 3, 4, 4) for name in LAYERS}
    second = {name: 2 * ones for name, ones in first.items()}
    texture, everything = sum(TEXTURE.values()), dists(first, second)
    assert everything == pytest.approx(0.2 * texture, abs=1e-3)


def test_l2_pooling_keeps_what_is_the_same_everywhere_and_halves_the_sides() -> None:
    pooled = l2_pool(torch.full((1, 2, 8, 10), 3.0))
    assert pooled.shape == (1, 2, 4, 5)
    assert pooled[..., 1:, 1:].sub(3).abs().max() < 1e-5


def test_colours_are_as_far_apart_as_they_are_shifted(photograph: Tensor) -> None:
    shifted = photograph.clamp(40, 200)
    assert colour_distance(shifted, shifted + 30) == pytest.approx(30 * 3**0.5, rel=0.02)
    red = shifted.clone()
    red[0] += 30
    assert colour_distance(shifted, red) == pytest.approx(30, rel=0.02)


def test_colours_are_the_same_wherever_they_are(photograph: Tensor) -> None:
    shuffled = photograph.flatten(1)[
        :, torch.randperm(SIZE[0] * SIZE[1], generator=torch.Generator().manual_seed(0))
    ].view(photograph.shape)
    assert colour_distance(photograph, shuffled) == pytest.approx(0, abs=1e-6)
    assert colour_distance(photograph, photograph.repeat(1, 2, 1)) < 0.5


@pytest.mark.parametrize(("width", "found"), [(0, 0), (3, 10), (6, 20)])
def test_a_rim_of_another_colour_is_found_as_wide_as_it_is(width: int, found: float) -> None:
    picture = torch.full((3, *SIZE), 120, dtype=torch.uint8)
    inside = picture[:, width : SIZE[0] - width, width : SIZE[1] - width].clone()
    picture += 20
    picture[:, width : SIZE[0] - width, width : SIZE[1] - width] = inside
    assert rim(picture) == pytest.approx(found)


def test_a_picture_too_small_to_have_an_inside_has_no_rim() -> None:
    assert math.isnan(rim(torch.zeros(3, 32, 80, dtype=torch.uint8)))


def test_a_checkerboard_of_pixels_is_a_mesh_and_broad_stripes_are_none() -> None:
    rows, columns = torch.arange(SIZE[0])[:, None], torch.arange(SIZE[1])
    board = levels(128 + 8.0 * (1 - 2 * ((rows + columns) % 2)))
    assert frequencies.mesh(board) == pytest.approx(8, rel=0.05)
    assert frequencies.mesh(grating(5, 20)) < 1


def test_a_weave_is_what_has_its_period_where_the_photograph_is_flat(photograph: Tensor) -> None:
    flat = levels(torch.full(SIZE, 90.0))
    assert frequencies.weave(flat, flat) == pytest.approx(0, abs=1e-9)
    assert frequencies.weave(flat, grating(5, 20)) == pytest.approx(20 / 2**0.5, rel=0.05)
    assert frequencies.weave(flat, grating(20, 20)) < 2
    assert math.isnan(frequencies.weave(disturbed(photograph, 50), flat))


def test_lines_that_are_turned_round_are_the_opposite(photograph: Tensor) -> None:
    assert frequencies.lines(photograph, 255 - photograph) == pytest.approx(-1)
    assert abs(frequencies.lines(photograph, levels(128 + noise(20)[0]))) < 0.2
    assert math.isnan(frequencies.lines(photograph, torch.zeros_like(photograph)))


def test_a_band_and_the_rest_are_the_picture() -> None:
    plane = noise(10)[0].double()
    whole: Callable[[float, float], Tensor] = lambda low, high: frequencies.band(plane, low, high)  # noqa: E731
    assert torch.allclose(whole(0, 0.2) + whole(0.2, 1), plane)
