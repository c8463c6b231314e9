"""The VGG-16 that `make setup` provisions is the one that Simonyan & Zisserman trained, at the reference scale."""

from pathlib import Path

import pytest

from service.weights import canonical
from service.weights.backbones import VGG16_SHA256
from service.weights.calibration import REFERENCE_RMS, root_mean_squares
from service.weights.canonical import Canonical

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def vgg16(vgg16_dir: Path) -> Canonical:
    return canonical.read(vgg16_dir / "vgg16.safetensors")


def test_it_is_made_from_the_published_file(vgg16: Canonical) -> None:
    assert vgg16.source_sha256 == VGG16_SHA256
    assert "CC BY 4.0" in vgg16.credit


def test_its_first_weights_are_those_that_the_literature_knows(vgg16: Canonical) -> None:
    # Keras stores (height, width, in, out) with blue first: these are the top left weights of the first three
    # filters for blue, which is our last input channel.
    first = vgg16.weights.tensors["conv1_1.weight"][:3, 2, 0, 0]
    assert first.tolist() == pytest.approx([0.42947057, 0.11727387, 0.03401296], rel=1e-5)


def test_calibration_changed_nothing_as_its_scale_is_the_reference(vgg16: Canonical) -> None:
    assert len(vgg16.factors) == 13
    for name, factor in vgg16.factors.items():
        assert factor == pytest.approx(1, abs=1e-3), name


def test_it_responds_at_the_reference_scale(vgg16: Canonical) -> None:
    for name, rms in root_mean_squares(vgg16.weights).items():
        assert rms == pytest.approx(REFERENCE_RMS[name], rel=1e-3), name
