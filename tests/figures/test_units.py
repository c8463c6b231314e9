"""α and β mean the same with every set of weights that computes the same features."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from devtools import painting
from devtools.painting import example
from service.style import resample
from service.style.inputs import Inputs
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
    """Random powers of two, which float32 multiplies without rounding: so nothing differs, however long it is."""
    random = Random(1)
    other = rescaled(vgg16, [random.randint(-3, 3) for _ in layer_names("vgg16")])
    # The file's weights were calibrated when they were provisioned; again, so that both are rounded as often.
    options = Options(size=64, iterations=12)
    expected = paint(calibrate(vgg16)[0], options)
    assert difference(paint(calibrate(other)[0], options), expected) == 0
    assert difference(paint(other, options), expected) > 1, (
        "without calibration nothing was different: this shows nothing"
    )


@pytest.mark.weights
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_with_any_factors_every_loss_and_the_gradient_are_the_same(vgg16: Weights, seed: int) -> None:
    """Other factors round every weight anew. A descent amplifies that, so one evaluation is compared."""
    random = Random(seed)
    other = calibrate(rescaled(vgg16, [random.uniform(-3, 3) for _ in layer_names("vgg16")]))[0]
    photograph, artwork = example("photos/chelsea"), example("styles/starfield-strokes")
    x = resample.resize(example("photos/rocket"), (64, 96))
    found = []
    for weights in (vgg16, other):
        network = VGG(weights.arch, weights.tensors, mean=weights.mean)
        objective = Inputs(photograph, [artwork]).objective(network, (64, 96), Options())
        found.append((objective.losses(x).layers, objective.loss_and_gradient(x)[1]))
    (usual_losses, usual), (losses, gradient) = found
    assert losses == pytest.approx(usual_losses, rel=1e-5)
    assert (gradient - usual).norm() < 1e-5 * usual.norm()
