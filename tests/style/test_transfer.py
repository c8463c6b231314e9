"""The whole transfer, on a small random network: what it promises for any weights."""

import itertools
import math
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import get_args

import pytest
import torch
from torch import Tensor

from service.style import progress, resample
from service.style.colour.colours import luminance
from service.style.loss.objective import Objective
from service.style.loss.variation import variation
from service.style.network.vgg import VGG, Arch
from service.style.options import Color, Init, Options
from service.style.progress import Progress, Result
from service.style.transfer import result_size, score, stylize

SMALL = Options(size=64, iterations=12)


def finish(run: Generator[Progress, None, Result]) -> tuple[Result, list[Progress]]:
    steps: list[Progress] = []
    return progress.finish(run, steps.append), steps


def test_the_result_has_the_size_asked_for_and_the_photographs_aspect_ratio(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    result, _ = finish(stylize(network, photograph, [artwork], SMALL))
    assert result.image.shape == (3, 48, 64)
    assert result.image.dtype == torch.uint8


def test_the_loss_falls_within_each_scale_and_the_evaluations_add_up(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    result, steps = finish(stylize(network, photograph, [artwork], replace(SMALL, size=128, iterations=20)))
    assert [step.evaluations for step in steps] == list(range(1, 21))
    assert result.evaluations == 20
    assert result.stopped == "iterations"
    assert len({step.size for step in steps}) == 2
    for before, after in itertools.pairwise(steps):
        assert after.loss <= before.loss or after.size != before.size
    assert steps[-1].loss < steps[-5].loss
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)


def test_the_losses_are_those_of_the_delivered_bytes(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    result, _ = finish(stylize(network, photograph, [artwork], SMALL))
    assert score(network, photograph, [artwork], result.image, SMALL).total == pytest.approx(
        result.losses.total, rel=1e-5
    )
    start = resample.quantise(resample.resize(photograph, (48, 64)))
    assert result.losses.total < 0.5 * score(network, photograph, [artwork], start, SMALL).total


def test_16_bits_are_the_same_picture_finer_and_the_losses_are_theirs(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    usual, _ = finish(stylize(network, photograph, [artwork], SMALL))
    deep, _ = finish(stylize(network, photograph, [artwork], replace(SMALL, depth=16)))
    assert deep.image.dtype == torch.uint16
    levels = deep.image.double() / 257
    assert torch.equal(levels.round().byte(), usual.image)
    assert len(torch.unique(deep.image.int())) > 1000
    measured = score(network, photograph, [artwork], deep.image, SMALL).total
    assert deep.losses.total == pytest.approx(measured, rel=1e-5)


@pytest.mark.parametrize("init", ["content", "noise"])
def test_the_same_seed_gives_the_same_picture(
    network: VGG, photograph: Tensor, artwork: Tensor, init: str
) -> None:
    options = replace(SMALL, init=init, seed=5)  # type: ignore[arg-type]
    first, _ = finish(stylize(network, photograph, [artwork], options))
    second, _ = finish(stylize(network, photograph, [artwork], options))
    assert torch.equal(first.image, second.image)


@pytest.mark.parametrize("init", ["content", "noise"])
def test_two_seeds_give_two_pictures(network: VGG, photograph: Tensor, artwork: Tensor, init: str) -> None:
    options = replace(SMALL, init=init, iterations=100)  # type: ignore[arg-type]
    first, _ = finish(stylize(network, photograph, [artwork], replace(options, seed=1)))
    second, _ = finish(stylize(network, photograph, [artwork], replace(options, seed=2)))
    assert not torch.equal(first.image, second.image)
    assert first.losses.total == pytest.approx(second.losses.total, rel=0.2), "equally good"


def test_a_run_that_is_cut_at_any_evaluation_returns_the_best_picture_up_to_there(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    """From white noise there is one scale, so that a longer run begins like a shorter one."""
    options = replace(SMALL, init="noise", iterations=30)
    run = stylize(network, photograph, [artwork], options)
    previews, losses = [], []
    for step in run:
        previews.append(step.preview())
        losses.append(step.loss)
    assert losses == sorted(losses, reverse=True)
    for count in (1, 2, 3, 11, 29):
        cut, _ = finish(stylize(network, photograph, [artwork], replace(options, iterations=count)))
        assert cut.evaluations == count
        assert torch.equal(cut.image, previews[count - 1])


def test_a_run_of_a_thousand_evaluations_never_gets_worse(network: VGG, artwork: Tensor) -> None:
    photograph = resample.quantise(resample.resize(artwork.flip(1), (32, 32)))
    options = Options(size=32, iterations=1000, init="noise")
    result, steps = finish(stylize(network, photograph, [artwork], options))
    losses = [step.loss for step in steps]
    assert losses == sorted(losses, reverse=True)
    assert result.stopped == "converged" or result.evaluations == 1000
    assert result.losses.total <= 1.05 * losses[-1], "the 8-bit picture is as good as the last iterate"


def test_a_preview_is_the_best_picture_of_its_moment(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    run = stylize(network, photograph, [artwork], SMALL)
    step = next(run)
    preview = step.preview()
    assert preview.shape == (3, *step.size)
    assert preview.dtype == torch.uint8
    run.close()


class Ticks:
    """A clock that advances by a fixed time whenever it is read: an evaluation costs a few ticks."""

    def __init__(self, tick: float) -> None:
        self.now, self.tick = 0.0, tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


def test_a_budget_stops_the_run_and_says_so(network: VGG, photograph: Tensor, artwork: Tensor) -> None:
    result, steps = finish(
        stylize(network, photograph, [artwork], Options(size=128, budget=2.0), clock=Ticks(0.01))
    )
    assert result.stopped == "budget"
    assert result.seconds <= 2.0 * 1.05
    assert len(steps) > 5
    assert steps[-1].seconds_left < 0.3


def test_a_scale_that_the_time_ended_is_remembered_even_if_the_last_one_came_to_its_end(
    network: VGG, photograph: Tensor, artwork: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The coarse scale is slow and uses up its share; the fine one has all the time that it wants."""
    clock, compute = ManualClock(), Objective.loss_and_gradient

    def costly(self: Objective, x: Tensor) -> tuple[Tensor, Tensor]:
        clock.now += 1.0 if max(x.shape[-2:]) == 64 else 1e-3
        return compute(self, x)

    monkeypatch.setattr(Objective, "loss_and_gradient", costly)
    options = Options(size=128, iterations=20, time_limit=20)
    result, steps = finish(stylize(network, photograph, [artwork], options, clock=clock))
    assert (result.stopped, result.cut_short) == ("iterations", True)
    assert len(steps) < 20
    whole, _ = finish(stylize(network, photograph, [artwork], replace(options, time_limit=1000), clock=clock))
    assert (whole.stopped, whole.cut_short) == ("iterations", False)
    assert not torch.equal(result.image, whole.image)


def test_a_budget_too_small_for_anything_still_gives_a_picture_of_the_full_size(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    result, steps = finish(
        stylize(network, photograph, [artwork], Options(size=128, budget=1e-3), clock=Ticks(1.0))
    )
    assert result.stopped == "budget-too-small"
    assert len(steps) == 1
    assert result.image.shape == (3, 96, 128)
    assert math.isfinite(result.losses.total)


class ManualClock:
    """A clock that somebody moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_cold_start_and_a_fixed_cost_do_not_end_a_run_early(
    network: VGG, photograph: Tensor, artwork: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU: an evaluation costs something for itself, and the first of each size far more."""
    clock, seen, compute = ManualClock(), set[int](), Objective.loss_and_gradient

    def costly(self: Objective, x: Tensor) -> tuple[Tensor, Tensor]:
        area = x.shape[-2] * x.shape[-1]
        clock.now += 0.006 + 2e-6 * area + (0 if area in seen else 0.1)
        seen.add(area)
        return compute(self, x)

    monkeypatch.setattr(Objective, "loss_and_gradient", costly)
    result, steps = finish(
        stylize(network, photograph, [artwork], Options(size=128, budget=1.0), clock=clock)
    )
    assert steps[-1].size == (96, 128)
    assert 0.8 < result.seconds <= 1.0


def test_extreme_weights_neither_overflow_nor_vanish(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    usual, _ = finish(stylize(network, photograph, [artwork], SMALL))
    for factor in (1e-20, 1e12):
        options = replace(SMALL, content_weight=1e-3 * factor, style_weight=factor)
        result, _ = finish(stylize(network, photograph, [artwork], options))
        assert result.losses.total == pytest.approx(usual.losses.total * factor, rel=0.05)


def test_all_weights_zero_are_refused(network: VGG, photograph: Tensor, artwork: Tensor) -> None:
    with pytest.raises(ValueError, match="all weights are 0"):
        finish(stylize(network, photograph, [artwork], replace(SMALL, content_weight=0, style_weight=0)))


@pytest.mark.parametrize("weights", [{"content_weight": 0.0}, {"style_weight": 0.0}])
def test_a_texture_alone_and_a_photograph_alone_can_be_painted(
    network: VGG, photograph: Tensor, artwork: Tensor, weights: dict[str, float]
) -> None:
    options = replace(SMALL, init="noise", iterations=5, **weights)  # type: ignore[arg-type]
    result, steps = finish(stylize(network, photograph, [artwork], options))
    assert steps[-1].loss < steps[0].loss
    assert 0 in (result.losses.content, result.losses.style)


def test_a_plateau_ends_the_run_as_converged(network: VGG) -> None:
    photograph, artwork = (torch.full((3, 32, 32), value, dtype=torch.uint8) for value in (96, 160))
    result, steps = finish(stylize(network, photograph, [artwork], Options(size=32, iterations=1000)))
    assert result.stopped == "converged"
    assert result.evaluations < 1000
    assert steps[-21].loss - steps[-1].loss < 0.002 * steps[-1].loss


@pytest.mark.parametrize("value", [0, 255])
def test_one_colour_pictures_give_a_finite_result(network: VGG, artwork: Tensor, value: int) -> None:
    flat = torch.full((3, 40, 40), value, dtype=torch.uint8)
    for photograph_, artwork_ in ((flat, artwork), (artwork, flat), (flat, flat)):
        result, _ = finish(stylize(network, photograph_, [artwork_], replace(SMALL, iterations=5)))
        assert math.isfinite(result.losses.total)


def test_poisoned_weights_are_an_error_and_never_a_picture(
    weights_of: Callable[[Arch, int], dict[str, Tensor]], photograph: Tensor, artwork: Tensor
) -> None:
    weights = weights_of("vgg16", 0)
    weights["conv3_2.weight"][0, 0, 0, 0] = math.nan
    with pytest.raises(FloatingPointError, match="weights are broken"):
        finish(stylize(VGG("vgg16", weights), photograph, [artwork], SMALL))


def test_pooling_and_strength_change_the_picture(network: VGG, photograph: Tensor, artwork: Tensor) -> None:
    images = [
        finish(stylize(network, photograph, [artwork], options))[0].image
        for options in (SMALL, replace(SMALL, pooling="max"), replace(SMALL, content_weight=1e-1))
    ]
    assert not torch.equal(images[0], images[1])
    assert not torch.equal(images[0], images[2])


@pytest.mark.parametrize("color", get_args(Color))
@pytest.mark.parametrize("init", ["content", "noise"])
def test_score_and_report_agree_in_every_colour(
    network: VGG, photograph: Tensor, artwork: Tensor, color: Color, init: Init
) -> None:
    options = replace(SMALL, color=color, init=init, tv_weight=0.01, iterations=6)
    result, steps = finish(stylize(network, photograph, [artwork], options))
    assert steps[-1].loss < steps[0].loss
    assert result.losses.variation > 0
    assert score(network, photograph, [artwork], result.image, options) == result.losses


def test_every_color_gives_another_picture(network: VGG, photograph: Tensor, artwork: Tensor) -> None:
    images = [
        finish(stylize(network, photograph, [artwork], replace(SMALL, color=color)))[0].image
        for color in get_args(Color)
    ]
    for one, other in itertools.combinations(images, 2):
        assert (one.float() - other.float()).abs().mean() > 2


def chroma(picture: Tensor) -> Tensor:
    """What a picture, uint8 (3, H, W), has beside its luminance, in steps of 1/255."""
    return (picture[None].float() - luminance(picture[None].float()))[0]


def test_only_luminance_is_painted_and_the_chroma_is_the_photographs_in_every_preview(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    options = replace(SMALL, color="content-luminance", size=128, iterations=30)
    previews = [step.preview() for step in stylize(network, photograph, [artwork], options)]
    result, _ = finish(stylize(network, photograph, [artwork], options))
    hasty = replace(options, budget=1e-3)
    enlarged, _ = finish(stylize(network, photograph, [artwork], hasty, clock=Ticks(1.0)))
    for picture in [*previews, result.image, enlarged.image]:
        resized = resample.quantise(resample.resize(photograph, (picture.shape[-2], picture.shape[-1])))
        assert (chroma(picture) - chroma(resized)).abs().max() < 1
    assert result.losses.total < 0.9 * score(network, photograph, [artwork], resized, options).total


def test_total_variation_goes_down_as_its_weight_goes_up(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    options = replace(SMALL, iterations=30)
    measured = []
    for weight in (0.0, 1e-2, 1.0):
        result, _ = finish(stylize(network, photograph, [artwork], replace(options, tv_weight=weight)))
        measured.append(variation(resample.dequantise(result.image)).item())
    assert measured[0] > 1.2 * measured[1] > 1.2 * 1.2 * measured[2], measured


def test_a_photograph_too_narrow_for_the_network_is_refused_with_what_to_do() -> None:
    assert result_size(200, 400, 64) == (32, 64)
    with pytest.raises(
        ValueError, match=r"400x10 px picture at size 256 becomes 256x6 px.*larger size or crop"
    ):
        result_size(10, 400, 256)
    with pytest.raises(ValueError, match="each side has to have 16 px"):
        score(VGG.__new__(VGG), torch.zeros(3, 9, 9), [], torch.zeros(3, 9, 9, dtype=torch.uint8), Options())


def test_a_small_result_is_what_a_larger_one_looked_like_on_its_way(network: VGG, artwork: Tensor) -> None:
    """Whatever the aspect ratio: sizes are rounded from the photograph's own."""
    photograph = resample.quantise(resample.resize(artwork, (171, 257)))
    small, _ = finish(stylize(network, photograph, [artwork], Options(size=64)))
    passed = [
        step.preview()
        for step in stylize(network, photograph, [artwork], Options(size=128))
        if step.size == tuple(small.image.shape[-2:])
    ]
    assert torch.equal(passed[-1], small.image)


@pytest.mark.parametrize("layer", ["conv1_1", "conv2_1"])
def test_from_noise_the_responses_of_a_shallow_layer_bring_the_photograph_back(
    whole_network: VGG, photograph: Tensor, layer: str
) -> None:
    options = Options(
        size=48, content_weight=1, style_weight=0, content_layers={layer: 1}, init="noise", iterations=100
    )
    result, _ = finish(stylize(whole_network, photograph, [], options))
    assert result.losses.style == 0
    assert (result.image.float() - photograph.float()).abs().mean().item() < 4


def test_a_deep_layer_keeps_less_of_the_photograph(network: VGG, photograph: Tensor) -> None:
    errors = []
    for layer in ("conv1_1", "conv3_1", "conv5_1"):
        options = Options(
            size=48, content_weight=1, style_weight=0, content_layers={layer: 1}, init="noise", iterations=60
        )
        result, _ = finish(stylize(network, photograph, [], options))
        errors.append((result.image.float() - photograph.float()).abs().mean().item())
    assert errors[0] < errors[1] < errors[2]


def test_a_texture_from_noise_needs_the_photograph_for_its_shape_alone(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    options = replace(SMALL, size=48, content_weight=0, init="noise")
    images = [
        finish(stylize(network, shape, [artwork], options))[0].image
        for shape in (photograph, 255 - photograph)
    ]
    assert torch.equal(*images)


def grey(picture: Tensor) -> Tensor:
    return picture[:1].expand(3, -1, -1).contiguous()


def coloured(picture: Tensor) -> int:
    """By how much red, green and blue of a pixel differ at most."""
    return int((picture.amax(0).int() - picture.amin(0).int()).max())


@pytest.mark.parametrize("color", get_args(Color))
@pytest.mark.parametrize("init", ["content", "noise"])
def test_grey_pictures_give_a_grey_one(
    network: VGG, photograph: Tensor, artwork: Tensor, color: Color, init: Init
) -> None:
    options = replace(SMALL, color=color, init=init)
    result, _ = finish(stylize(network, grey(photograph), [grey(artwork)], options))
    assert coloured(result.image) == 0
    assert result.image.float().std() > 5
    repeated = score(network, grey(photograph), [grey(artwork)], result.image, options)
    assert repeated.total == pytest.approx(result.losses.total, rel=1e-4)


def test_a_grey_photograph_takes_the_colours_of_a_coloured_artwork_unless_it_is_matched(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    results = {
        color: finish(stylize(network, grey(photograph), [artwork], replace(SMALL, color=color)))[0]
        for color in get_args(Color)
    }
    assert coloured(results["style"].image) > 20
    assert coloured(results["content-match"].image) == 0
    assert coloured(results["content-luminance"].image) == 0


def test_a_start_with_colours_keeps_them(network: VGG, photograph: Tensor, artwork: Tensor) -> None:
    options = replace(SMALL, init="image", iterations=1)
    run = stylize(network, grey(photograph), [grey(artwork)], options, start=photograph)
    assert coloured(finish(run)[0].image) > 20


def test_a_coloured_result_of_grey_pictures_is_measured_with_its_colours(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    tinted = grey(photograph).clone()
    tinted[0] = (tinted[0].int() + 30).clamp(max=255).to(torch.uint8)
    losses = [
        score(network, grey(photograph), [grey(artwork)], picture, SMALL).total
        for picture in (tinted, (tinted.float().mean(0, keepdim=True).expand(3, -1, -1)).to(torch.uint8))
    ]
    assert losses[0] != pytest.approx(losses[1], rel=1e-3)


@pytest.mark.parametrize("color", get_args(Color))
def test_with_no_opacity_the_result_is_the_photograph(
    network: VGG, photograph: Tensor, artwork: Tensor, color: Color
) -> None:
    options = replace(SMALL, opacity=0.0, iterations=1, color=color)
    result, _ = finish(stylize(network, photograph, [artwork], options))
    wanted = resample.lanczos(photograph, (48, 64))
    assert (result.image.int() - wanted.int()).abs().max() <= 1
    assert result.losses.content < 1e-3 * result.losses.style


def test_the_result_goes_to_the_photograph_evenly_as_the_opacity_goes_to_0(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    wanted = resample.lanczos(photograph, (48, 64)).float()
    distances = []
    for opacity in (0.1, 0.5, 1.0):
        options = replace(SMALL, opacity=opacity)
        result, _ = finish(stylize(network, photograph, [artwork], options))
        distances.append((result.image - wanted).abs().mean().item())
    assert distances[0] == pytest.approx(0.1 * distances[2], rel=0.1)
    assert distances[1] == pytest.approx(0.5 * distances[2], rel=0.1)
