"""Every control does what it says, with the real network: not only that it is accepted."""

import io
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from devtools.painting import example, paint
from devtools.serving import settings, started
from service.api.context import service_of
from service.images import decode
from service.model.painting import load_model
from service.style import resample
from service.style.colour import colours
from service.style.loss.variation import variation
from service.style.network.vgg import VGG
from service.style.options import Options
from service.style.strength import strength_to_content_weight
from service.style.transfer import score
from service.style.transparency import FAINT
from tests.api.paint.test_stylize import file, form, post

pytestmark = pytest.mark.weights

SMALL = Options(size=64, iterations=60)
"""A painting takes some seconds: what compares several of them is slow."""


@pytest.fixture(scope="module")
def photograph() -> Tensor:
    return example("photos/chelsea")


@pytest.fixture(scope="module")
def glass() -> Tensor:
    return example("styles/stained-glass")


@pytest.fixture(scope="module")
def waves() -> Tensor:
    return example("styles/indigo-waves")


def at_size_of(image: Tensor, photograph: Tensor) -> Tensor:
    """The photograph at the size of a result, (1, 3, H, W) in [0, 1]."""
    return resample.resize(photograph, (image.shape[-2], image.shape[-1]))


def difference(a: Tensor, b: Tensor) -> float:
    """Mean absolute difference of two 8-bit pictures, in steps of 1/255."""
    return (a.float() - b.float()).abs().mean().item()


def test_two_artworks_at_weights_1_to_0_are_the_first_alone(
    network: VGG, photograph: Tensor, glass: Tensor, waves: Tensor
) -> None:
    few = replace(SMALL, iterations=12)
    first = paint(network, photograph, glass, base=few)
    blend = paint(network, photograph, glass, waves, base=few, style_blend=(1.0, 0.0))
    assert torch.equal(blend.image, first.image)
    assert blend.losses == first.losses
    second = paint(network, photograph, glass, waves, base=few, style_blend=(0.0, 1.0))
    assert difference(second.image, first.image) > 10


@pytest.mark.slow
def test_a_blend_lies_between_its_artworks(
    network: VGG, photograph: Tensor, glass: Tensor, waves: Tensor
) -> None:
    losses = [
        score(
            network,
            photograph,
            [glass],
            paint(network, photograph, glass, waves, base=SMALL, style_blend=(part, 1 - part)).image,
            SMALL,
        ).style
        for part in (1.0, 0.5, 0.0)
    ]
    assert losses[0] < losses[1] < losses[2], losses


@pytest.mark.slow
def test_content_match_paints_in_the_colours_of_the_photograph(
    network: VGG, photograph: Tensor, waves: Tensor
) -> None:
    distances = {}
    for color in ("style", "content-match"):
        image = paint(network, photograph, waves, base=SMALL, color=color).image
        ours = colours.statistics(resample.dequantise(image))
        wanted = colours.statistics(at_size_of(image, photograph))
        distances[color] = [(a - b).abs().max().item() for a, b in zip(ours, wanted, strict=True)]
    for matched, plain in zip(distances["content-match"], distances["style"], strict=True):
        assert matched < 0.5 * plain, distances


def test_a_whole_request_keeps_the_transparency_and_with_content_luminance_the_chroma(
    vgg16_dir: Path, photograph: Tensor
) -> None:
    height, width = 48, 64
    sent = torch.cat(
        [
            resample.quantise(resample.resize(photograph, (height, width))),
            torch.arange(height * width, dtype=torch.int64)
            .remainder(256)
            .to(torch.uint8)
            .view(1, height, width),
        ]
    )
    buffer = io.BytesIO()
    Image.fromarray(sent.permute(1, 2, 0).contiguous().numpy(), "RGBA").save(buffer, "png")
    app = started(load_model(settings(backbone="vgg16", weights_dir=vgg16_dir, device="cpu")))
    try:
        parts = form(size=width, iterations=12, color="content-luminance", format="png")
        answer = post(app.test_client(), parts | {"content": file(buffer.getvalue())})
    finally:
        service_of(app).engine.stop()
    assert answer.status_code == 200, answer.data
    received = decode(answer.data)
    assert received.alpha is not None
    assert torch.equal(received.alpha, sent[3:])
    ycc = [torch.from_numpy(np.array(colour_difference(rgb))) for rgb in (received.rgb, sent[:3])]
    seen = sent[3] >= FAINT
    assert (ycc[0] - ycc[1])[seen][..., 1:].abs().max() < 1
    assert (ycc[0] - ycc[1])[..., 0].abs().mean() > 5, "something was painted"


def colour_difference(rgb: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Y, Cb and Cr as JPEG defines them (ITU-T T.871), (H, W, 3) in steps of 1/255, not rounded."""
    matrix = np.array(
        [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], dtype=np.float64
    )
    return rgb.permute(1, 2, 0).numpy().astype(np.float64) @ matrix.T


@pytest.mark.slow
@pytest.mark.parametrize("style", ["stained-glass", "peacock-mosaic", "indigo-waves"])
def test_with_content_luminance_the_chroma_of_every_example_is_the_photographs(
    network: VGG, style: str
) -> None:
    for name in ("astronaut", "coffee"):
        photo = example(f"photos/{name}")
        image = paint(
            network, photo, example(f"styles/{style}"), base=SMALL, color="content-luminance", iterations=30
        ).image
        wanted = resample.quantise(at_size_of(image, photo))
        chroma = [colour_difference(rgb)[..., 1:] for rgb in (image, wanted)]
        assert np.abs(chroma[0] - chroma[1]).max() < 1


def centroid(picture: Tensor) -> float:
    """Mean spatial frequency of a picture (H, W), in cycles per pixel, weighted by power."""
    power = torch.fft.rfft2(picture - picture.mean()).abs().square()
    rows, columns = torch.fft.fftfreq(picture.shape[0]), torch.fft.rfftfreq(picture.shape[1])
    radius = (rows[:, None].square() + columns.square()).sqrt()
    return float((power * radius).sum() / power.sum())


def pattern(wavelength: float, size: int = 512) -> Tensor:
    """Coloured blots of one size, uint8 (3, size, size): noise whose frequencies are within a third of one."""
    noise = torch.fft.rfft2(torch.randn(3, size, size, generator=torch.Generator().manual_seed(0)))
    radius = (torch.fft.fftfreq(size)[:, None].square() + torch.fft.rfftfreq(size).square()).sqrt()
    blots = torch.fft.irfft2(noise * ((radius * wavelength - 1).abs() < 1 / 3))
    return resample.quantise((0.5 + 0.25 * blots / blots.std())[None])


@pytest.mark.slow
def test_a_smaller_style_scale_gives_finer_strokes(network: VGG, photograph: Tensor) -> None:
    """Of an artwork with one wavelength: others have textures at several, which come and go with its size."""
    frequencies = []
    for scale in (2.0, 1.0, 0.5):  # wavelengths of 12, 6 and 3 px
        image = paint(network, photograph, pattern(64), size=96, iterations=60, style_scale=scale).image
        strokes = resample.dequantise(image) - at_size_of(image, photograph)
        frequencies.append(centroid(colours.luminance(strokes)[0, 0]))
    for coarser, finer in itertools.pairwise(frequencies):
        assert finer > 1.2 * coarser, frequencies


@pytest.mark.slow
def test_strength_goes_from_the_photograph_to_the_artwork(
    network: VGG, photograph: Tensor, glass: Tensor
) -> None:
    losses = []
    for strength in (0.0, 0.25, 0.5, 0.75, 1.0):
        alpha = strength_to_content_weight(strength)
        image = paint(network, photograph, glass, base=SMALL, content_weight=alpha).image
        losses.append(score(network, photograph, [glass], image, SMALL))  # all by one measure
    for weaker, stronger in itertools.pairwise(losses):
        assert weaker.content < stronger.content
    # Above 0.75 the content's share is so small that another seed changes the style loss by more than it does.
    for weaker, stronger in [*itertools.pairwise(losses[:4]), (losses[2], losses[4])]:
        assert weaker.style > stronger.style
    assert losses[4].style < 1.15 * losses[3].style


@pytest.mark.slow
def test_tv_weight_smooths(network: VGG, photograph: Tensor, glass: Tensor) -> None:
    measured = []
    for weight in (0.0, 1e-2, 1e-1, 1.0):
        result = paint(network, photograph, glass, base=SMALL, tv_weight=weight)
        measured.append(variation(resample.dequantise(result.image)).item())
        height, width = result.image.shape[-2:]
        assert result.losses.variation == pytest.approx(
            weight * 512**2 / (height * width) * measured[-1], rel=1e-5
        )
    for rough, smooth in itertools.pairwise(measured):
        assert smooth < rough, measured
    assert measured[-1] < 0.5 * measured[0], measured


@pytest.mark.slow
def test_style_layers_are_what_is_matched(network: VGG, photograph: Tensor, glass: Tensor) -> None:
    texture = replace(SMALL, content_weight=0.0)  # or the content would win over a single layer
    everything = paint(network, photograph, glass, base=texture)
    shallow = paint(network, photograph, glass, base=texture, style_layers={"conv1_1": 1.0})
    by_one_measure = score(network, photograph, [glass], shallow.image, texture)
    assert by_one_measure.layers["style/conv1_1"] < everything.losses.layers["style/conv1_1"]
    assert by_one_measure.layers["style/conv4_1"] > 2 * everything.losses.layers["style/conv4_1"]


@pytest.mark.slow
def test_a_layer_of_more_weight_is_matched_better(network: VGG, photograph: Tensor, glass: Tensor) -> None:
    layers = dict(SMALL.style_layers)
    heavy = paint(network, photograph, glass, base=SMALL, style_layers=layers | {"conv1_1": 20.0})
    plain = paint(network, photograph, glass, base=SMALL)
    by_one_measure = score(network, photograph, [glass], heavy.image, SMALL)
    assert by_one_measure.layers["style/conv1_1"] < 0.8 * plain.losses.layers["style/conv1_1"]


@pytest.mark.slow
def test_a_shallow_content_layer_keeps_the_pixels(network: VGG, photograph: Tensor, glass: Tensor) -> None:
    deep, shallow = (
        paint(network, photograph, glass, base=SMALL, content_weight=1e-1, content_layers={layer: 1.0}).image
        for layer in ("conv4_2", "conv1_1")
    )
    wanted = resample.quantise(at_size_of(deep, photograph))
    assert difference(shallow, wanted) < 0.7 * difference(deep, wanted)


@pytest.mark.slow
def test_each_pooling_is_the_better_one_by_its_own_measure(
    network: VGG, photograph: Tensor, glass: Tensor
) -> None:
    images = {
        pooling: paint(network, photograph, glass, base=SMALL, pooling=pooling).image
        for pooling in ("average", "max")
    }
    for pooling in ("average", "max"):
        measure = Options(pooling=pooling)
        totals = {
            name: score(network, photograph, [glass], image, measure).total for name, image in images.items()
        }
        assert min(totals, key=lambda name: totals[name]) == pooling, totals


@pytest.mark.slow
def test_another_seed_is_another_picture_and_equally_good(
    network: VGG, photograph: Tensor, glass: Tensor
) -> None:
    one, two = (paint(network, photograph, glass, base=SMALL, seed=seed) for seed in (1, 2))
    assert difference(one.image, two.image) > 5
    assert one.losses.total == pytest.approx(two.losses.total, rel=0.1)


@pytest.mark.slow
def test_a_texture_from_noise_knows_nothing_of_the_photograph(
    network: VGG, photograph: Tensor, glass: Tensor
) -> None:
    """Without a content loss only the start can bring the photograph in, and from the photograph's own it does."""
    correlation = {}
    for init in ("content", "noise"):
        image = paint(network, photograph, glass, base=SMALL, init=init, content_weight=0.0).image
        pair = torch.stack(
            [
                colours.luminance(picture).flatten()
                for picture in (resample.dequantise(image), at_size_of(image, photograph))
            ]
        )
        correlation[init] = torch.corrcoef(pair)[0, 1].item()
    assert abs(correlation["noise"]) < 0.15 < 0.2 < correlation["content"], correlation
