"""What a CPU paints, a GPU paints: every control with its tensors there, in the memory that was predicted.

The GPU is not there (`devtools.gpu`). It computes as the CPU does, so what it paints is the same to the byte.
"""

import gc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from devtools.gpu import GPU, in_place_of_cuda
from service.style.copies import Copies
from service.style.inputs import Inputs
from service.style.memory import prediction as memory
from service.style.network.precision import Precision, with_precision
from service.style.network.vgg import VGG
from service.style.options import Options
from service.style.progress import Progress, finish
from service.style.regions import Masks
from service.style.transfer import score, stylize
from tests.style.conftest import picture, random_weights, thin_network

OPTIONS = Options(size=96, iterations=8)
"""Two scales."""

PHOTOGRAPH = picture(90, 120, seed=1)
ARTWORKS = picture(100, 80, seed=2), picture(40, 60, seed=3)
MASKS = Masks(
    (torch.arange(90) // 30).to(torch.uint8)[:, None].expand(90, 120),
    [(torch.arange(each.shape[2]) % 3).to(torch.uint8).expand(each.shape[1:]) for each in ARTWORKS],
)
"""Two regions, and one that is not painted."""


@pytest.fixture(scope="module")
def gpu() -> Iterator[GPU]:
    gpu = GPU()
    with pytest.MonkeyPatch.context() as patch, gpu.mode():
        in_place_of_cuda(patch, gpu)
        yield gpu


@pytest.fixture(scope="module")
def there(gpu: GPU) -> VGG:
    return thin_network().to("cuda")


def test_the_stand_in_notices_who_mixes_devices_who_waits_and_what_there_is_no_room_for(
    gpu: GPU, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = torch.ones(3, 4), torch.ones(3, 4, device="cuda")
    with pytest.raises(RuntimeError, match="same device"):
        here + there
    with pytest.raises(RuntimeError, match="generator"):
        torch.rand(3, device="cuda", generator=torch.Generator())
    with pytest.raises(TypeError, match="numpy"):
        there.numpy()
    assert (here.to("cuda") + 2 * there).device.type == "cuda"
    before = gpu.read
    assert there.sum().item() == 12
    assert there.cpu().device.type == "cpu"
    assert there[0].tolist() == [1, 1, 1, 1]
    assert gpu.read == before + 3
    before = gpu.allocated
    view = torch.zeros(1000, device="cuda")[:10]
    assert gpu.allocated == before + 4096
    del view
    assert gpu.allocated == before
    assert gpu.peak >= before + 4096
    monkeypatch.setattr(gpu, "total", gpu.allocated + 1024)
    torch.empty(256, device="cuda")
    with pytest.raises(torch.OutOfMemoryError):
        torch.empty(257, device="cuda")


@pytest.mark.parametrize(
    ("changes", "masked"),
    [
        ({}, False),
        ({}, True),
        ({"color": "content-match"}, False),
        ({"color": "content-luminance", "pooling": "max"}, True),
        ({"init": "noise", "style_scale": 0.5}, False),
        ({"init": "image", "tv_weight": 0.1}, True),
        ({"style_weight": 0}, False),
        ({"content_weight": 0}, True),
        ({"iterations": 24}, False),
        ({"budget": 1e-6}, True),
    ],
    ids=str,
)
def test_a_picture_is_the_same_to_the_byte(
    changes: dict[str, Any], masked: bool, network: VGG, there: VGG
) -> None:
    options = replace(OPTIONS, **changes)
    artworks = ARTWORKS if options.style_weight else ()
    start = PHOTOGRAPH.flip(1) if options.init == "image" else None
    masks = MASKS if masked else None
    results, previews = [], list[Tensor]()
    for painter in (network, there):
        copies = Copies()
        Inputs(PHOTOGRAPH, artworks, masks, start, copies).prepare(options)
        run = stylize(painter, PHOTOGRAPH, artworks, options, masks=masks, start=start, copies=copies)
        results.append(finish(run, lambda progress: previews.append(progress.preview())))
    here, painted = results
    assert torch.equal(painted.image, here.image)
    assert {each.device.type for each in (painted.image, *previews)} == {"cpu"}
    assert (painted.losses, painted.evaluations) == (here.losses, here.evaluations)
    scores = [score(each, PHOTOGRAPH, artworks, here.image, options, masks) for each in (network, there)]
    assert scores[0] == scores[1]


def test_the_host_reads_as_often_as_it_tells_of_progress_and_a_few_times_more_for_each_scale(
    there: VGG, gpu: GPU
) -> None:
    def reads_and_progresses(iterations: int) -> tuple[int, int]:
        before, seen = gpu.read, list[Progress]()
        finish(
            stylize(there, PHOTOGRAPH, ARTWORKS, replace(OPTIONS, iterations=iterations)),
            seen.append,
        )
        return gpu.read - before, len(seen)

    short, long = reads_and_progresses(22), reads_and_progresses(61)
    assert (short[1], long[1]) == (4, 8), "ten evaluations at once, the first of a scale alone"
    assert long[0] - short[0] == long[1] - short[1]


@pytest.mark.parametrize("recomputed", [False, True])
@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_its_tensors_take_the_memory_that_was_predicted(
    precision: Precision, recomputed: bool, gpu: GPU
) -> None:
    """Up to SCRATCH, which is for what cuDNN takes besides, and for what is too small to be counted.

    It takes some seconds, as SCRATCH has to be small beside a picture of the whole network.
    """
    network, size = with_precision(VGG("vgg16", random_weights("vgg16")).to("cuda"), precision), (256, 256)
    options = Options(size=256, iterations=3)
    need = memory.need(network, size, [size], options)
    bound = None
    if recomputed:
        bound = need.peak - 1
        need = memory.need(network, size, [size], options, bound)
        assert need.recomputed > 0
    gc.collect()
    before = gpu.allocated
    gpu.forget_peak()
    finish(stylize(network, picture(*size, seed=1), [picture(*size, seed=2)], options, memory_bound=bound))
    taken = gpu.peak - before
    assert 0.9 * (need.peak - memory.SCRATCH) < taken < need.peak
    assert gpu.allocated == before, "something was left behind"
