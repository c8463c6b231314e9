"""α and β mean the same with every set of weights that computes the same features."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median

import pytest

from devtools import painting
from devtools.painting import example
from service.style.network.vgg import VGG, layer_names
from service.style.options import Options
from service.style.progress import Result
from service.weights import canonical
from service.weights.calibration import calibrate
from service.weights.convert import Weights


def paint(weights: Weights, options: Options) -> Result:
    """The example photograph in an example style."""
    network = VGG(weights.arch, weights.tensors, mean=weights.mean)
    return painting.paint(
        network, example("photos/chelsea"), example("styles/starfield-strokes"), base=options
    )


def rescaled(weights: Weights, exponents: Iterable[float]) -> Weights:
    """The same features, each layer 2**exponent times as strong."""
    tensors, before = {}, 1.0
    for name, exponent in zip(layer_names(weights.arch), exponents, strict=True):
        scale = 2.0**exponent
        tensors[f"{name}.weight"] = weights.tensors[f"{name}.weight"] * (scale / before)
        tensors[f"{name}.bias"] = weights.tensors[f"{name}.bias"] * scale
        before = scale
    return replace(weights, tensors=tensors)


def difference(a: Result, b: Result) -> float:
    """Mean absolute difference of two pictures, in steps of 1/255."""
    return (a.image.float() - b.image.float()).abs().mean().item()


@pytest.fixture(scope="module")
def vgg16(vgg16_dir: Path) -> Weights:
    return canonical.read(vgg16_dir / "vgg16.safetensors").weights


@pytest.mark.weights
def test_weights_of_another_scale_paint_the_same_picture_once_calibrated(vgg16: Weights) -> None:
    """Random powers of two, which float32 multiplies without rounding: what is compared is the arithmetic."""
    random = Random(1)
    other = rescaled(vgg16, [random.randint(-3, 3) for _ in layer_names("vgg16")])
    # The file's weights were calibrated when they were provisioned; again, so that both are rounded as often.
    expected = paint(calibrate(vgg16)[0], Options(size=128))
    assert difference(paint(calibrate(other)[0], Options(size=128)), expected) < 2
    assert difference(paint(other, Options(size=128)), expected) > 10, (
        "without calibration nothing was different: this shows nothing"
    )


@pytest.mark.weights
def test_with_any_factors_the_picture_differs_by_no_more_than_rounding_grows_to(vgg16: Weights) -> None:
    """Other factors round every weight anew, by 1e-7, and the optimisation amplifies any difference as it goes on.

    By the 25th evaluation to where one step is accepted with some factors and rejected with others, so what is asked
    of 30 is asked of three sets of factors, and their median.
    """
    others = [
        calibrate(rescaled(vgg16, [random.uniform(-3, 3) for _ in layer_names("vgg16")]))[0]
        for random in map(Random, (2, 3, 4))
    ]
    for evaluations, bound in ((20, 0.1), (30, 2)):
        options = Options(size=64, iterations=evaluations)
        usual = paint(vgg16, options)
        assert median(difference(paint(other, options), usual) for other in others) < bound
    late, other = Options(size=128), others[0]
    assert paint(other, late).losses.total == pytest.approx(paint(vgg16, late).losses.total, rel=0.02)
