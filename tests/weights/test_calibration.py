from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from service.style.network.vgg import VGG, layer_names
from service.weights.calibration import REFERENCE_RMS, calibrate, root_mean_squares
from service.weights.convert import Weights, from_torchvision
from service.weights.dead_leaves import dead_leaves
from service.weights.errors import WeightsError

PICTURES = dead_leaves(count=2, side=32)


def responses(weights: Weights, picture: Tensor) -> dict[str, Tensor]:
    network = VGG(weights.arch, weights.tensors, mean=weights.mean)
    return network.forward(picture, layer_names(weights.arch))


def rescaled(weights: Weights, factors: Mapping[str, float]) -> Weights:
    tensors = {}
    before = 1.0
    for name in layer_names(weights.arch):
        tensors[f"{name}.weight"] = weights.tensors[f"{name}.weight"] * (factors[name] / before)
        tensors[f"{name}.bias"] = weights.tensors[f"{name}.bias"] * factors[name]
        before = factors[name]
    return replace(weights, tensors=tensors)


@pytest.fixture(scope="module")
def weights(vgg16_state: dict[str, Tensor]) -> Weights:
    return from_torchvision(vgg16_state)


def relative_difference(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def test_a_calibrated_network_responds_at_the_reference_scale_in_every_layer(weights: Weights) -> None:
    calibrated, _ = calibrate(weights, PICTURES)
    for name, rms in root_mean_squares(calibrated, PICTURES).items():
        assert rms == pytest.approx(REFERENCE_RMS[name], rel=1e-5)


def test_a_network_and_its_rescaled_copy_are_the_same_after_calibration(weights: Weights) -> None:
    generator = torch.Generator().manual_seed(3)
    exponents = torch.empty(len(layer_names("vgg16"))).uniform_(-3, 3, generator=generator)
    factors = dict(zip(layer_names("vgg16"), (10**exponents).tolist(), strict=True))
    copy = rescaled(weights, factors)
    picture = torch.rand(1, 3, 32, 32, generator=generator)
    assert (
        relative_difference(responses(copy, picture)["conv5_3"], responses(weights, picture)["conv5_3"]) > 0.1
    )

    ours = responses(calibrate(weights, PICTURES)[0], picture)
    theirs = responses(calibrate(copy, PICTURES)[0], picture)
    for name in layer_names("vgg16"):
        assert relative_difference(theirs[name], ours[name]) < 1e-4, name


def test_calibration_multiplies_every_response_by_one_factor_and_changes_nothing_else(
    weights: Weights,
) -> None:
    calibrated, factors = calibrate(weights, PICTURES)
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(4))
    before, after = responses(weights, picture), responses(calibrated, picture)
    for name in layer_names("vgg16"):
        assert relative_difference(after[name], factors[name] * before[name]) < 1e-5, name


def test_vgg19_has_a_reference_in_every_layer() -> None:
    assert set(REFERENCE_RMS) == set(layer_names("vgg19"))
    for name in ("conv3_4", "conv4_4", "conv5_4"):
        assert REFERENCE_RMS[name] == REFERENCE_RMS[name[:-1] + "3"]


def test_a_layer_that_never_responds_is_an_error_that_names_it(weights: Weights) -> None:
    dead = dict(weights.tensors)
    dead["conv3_2.weight"] = torch.zeros_like(dead["conv3_2.weight"])
    dead["conv3_2.bias"] = -torch.ones_like(dead["conv3_2.bias"])
    with pytest.raises(WeightsError, match="conv3_2 are all zero or not finite"):
        calibrate(replace(weights, tensors=dead), PICTURES)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_not_finite_are_an_error(value: float, weights: Weights) -> None:
    broken = dict(weights.tensors)
    broken["conv2_1.bias"] = torch.full_like(broken["conv2_1.bias"], value)
    with pytest.raises(WeightsError, match="conv2_1 are all zero or not finite"):
        calibrate(replace(weights, tensors=broken), PICTURES)


def test_the_calibration_pictures_are_always_the_same() -> None:
    assert torch.equal(dead_leaves(2, 32), PICTURES)
    assert not torch.equal(PICTURES[0], PICTURES[1])


def test_the_calibration_pictures_are_eight_bit_pictures_that_use_the_whole_range() -> None:
    assert PICTURES.shape == (2, 3, 32, 32)
    assert PICTURES.dtype == torch.float32
    levels = PICTURES * 255
    assert torch.allclose(levels, levels.round(), atol=1e-4)
    assert PICTURES.min() == 0
    assert PICTURES.max() == 1


def test_the_calibration_pictures_have_the_spectrum_of_natural_ones() -> None:
    # Power falls like 1/f² in photographs (Field 1987) and in dead leaves. White noise has slope 0.
    pictures = dead_leaves(side=128).mean(1).double()
    power = torch.fft.fft2(pictures - pictures.mean((1, 2), keepdim=True)).abs().square().mean(0)
    frequency = torch.fft.fftfreq(128, dtype=torch.float64)
    radius = (frequency[:, None] ** 2 + frequency[None, :] ** 2).sqrt()
    bands = torch.logspace(-1.7, -0.5, 9, dtype=torch.float64)
    points = [
        ((lower * upper).sqrt().log(), power[(radius >= lower) & (radius < upper)].mean().log())
        for lower, upper in pairwise(bands)
    ]
    x, y = torch.tensor(points, dtype=torch.float64).T
    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    assert -3 < slope < -1.5
