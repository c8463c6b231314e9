"""What a transfer needs of its pictures can be made beforehand, and is the same to the byte."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from service.style import resample
from service.style.copies import Copies, pinned
from service.style.inputs import Inputs
from service.style.network.vgg import VGG
from service.style.options import Options
from service.style.progress import Result, finish
from service.style.regions import Masks
from service.style.transfer import stylize

OPTIONS = Options(size=128, iterations=6)


@pytest.fixture
def large(artwork: Tensor) -> Tensor:
    """Larger than any scale of OPTIONS."""
    return artwork.repeat(1, 4, 5)


@pytest.fixture
def resizes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The (width, height) of every picture that Pillow makes."""
    seen: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def noted(self: Image.Image, size: tuple[int, int], *arguments: object, **more: object) -> Image.Image:
        seen.append(size)
        return resize(self, size, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Image.Image, "resize", noted)
    return seen


def test_a_copy_is_pillows_and_is_made_once(large: Tensor, resizes: list[tuple[int, int]]) -> None:
    copies = Copies()
    first, second = copies.of(large, (50, 40)), copies.of(large, (50, 40))
    assert resizes == [(40, 50)]
    assert second is first
    assert first.dtype == torch.uint8
    image = Image.fromarray(large.permute(1, 2, 0).contiguous().numpy())
    expected = np.asarray(image.resize((40, 50), Image.Resampling.LANCZOS, reducing_gap=3.0))
    np.testing.assert_array_equal(first.permute(1, 2, 0).numpy(), expected)


def test_two_pictures_that_look_alike_are_two(large: Tensor) -> None:
    copies = Copies()
    assert copies.of(large, (50, 40)) is not copies.of(large.clone(), (50, 40))


def test_at_its_own_size_a_picture_is_not_copied(large: Tensor, resizes: list[tuple[int, int]]) -> None:
    assert Copies().of(large, (large.shape[-2], large.shape[-1])) is large
    assert resizes == []


def test_every_copy_is_pinned_where_that_is_wanted_and_no_picture_is_copied_for_that(large: Tensor) -> None:
    pinned: list[Tensor] = []

    def pin(copy: Tensor) -> Tensor:
        pinned.append(copy.clone())
        return pinned[-1]

    copies = Copies(pin)
    small = copies.of(large, (50, 40))
    assert pinned[0] is small
    assert copies.of(large, (50, 40)) is small
    assert copies.of(large, (large.shape[-2], large.shape[-1])) is large
    assert len(pinned) == 1


def test_memory_that_cannot_be_pinned_is_as_good(large: Tensor) -> None:
    def fail(_: Tensor) -> Tensor:
        raise RuntimeError("CUDA error: out of memory")

    assert pinned(large, fail) is large
    assert torch.equal(pinned(large, Tensor.clone), large)


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        replace(OPTIONS, iterations=2),
        replace(OPTIONS, style_scale=0.3),
        replace(OPTIONS, color="content-luminance"),
        replace(OPTIONS, color="content-match", style_blend=(1.0, 0.0)),
        replace(OPTIONS, init="noise"),
        replace(OPTIONS, init="image"),
        replace(OPTIONS, style_weight=0.0),
        replace(OPTIONS, content_weight=0.0),
    ],
)
@pytest.mark.parametrize("masked", [False, True])
def test_after_the_preparation_nothing_is_resized_and_the_picture_is_the_same(
    network: VGG,
    large: Tensor,
    artwork: Tensor,
    resizes: list[tuple[int, int]],
    options: Options,
    masked: bool,
) -> None:
    start = artwork if options.init == "image" else None
    labels = torch.ones(large.shape[-2:], dtype=torch.uint8)
    labels[: len(labels) // 3] = 0
    masks = Masks(labels) if masked else None

    def paint(copies: Copies | None) -> Result:
        steps = stylize(network, large, [artwork, large], options, masks=masks, start=start, copies=copies)
        return finish(steps)

    expected = paint(None)
    needed = set(resizes)
    assert needed
    resizes.clear()
    copies = Copies()
    Inputs(large, [artwork, large], masks, start, copies).prepare(options)
    assert set(resizes) == needed, "neither more nor less than it needs"
    resizes.clear()
    result = paint(copies)
    assert resizes == []
    assert torch.equal(result.image, expected.image)
    assert result.losses == expected.losses


def test_whoever_wants_the_copies_is_asked_before_each_of_them_and_may_end_it(
    large: Tensor, resizes: list[tuple[int, int]]
) -> None:
    asked: list[int] = []

    def look() -> None:
        asked.append(len(resizes))
        if len(resizes) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        Inputs(large, [large.clone()]).prepare(OPTIONS, look)
    assert asked == [0, 1, 2, 3]
    assert len(resizes) == 3


def test_a_transfer_whose_time_ends_early_finds_its_last_size_too(
    network: VGG, large: Tensor, resizes: list[tuple[int, int]]
) -> None:
    options = replace(OPTIONS, iterations=None, time_limit=1e-6)
    copies = Copies()
    Inputs(large, [large], copies=copies).prepare(options)
    resizes.clear()
    result = finish(stylize(network, large, [large], options, copies=copies))
    assert result.stopped == "budget-too-small"
    assert resizes == []


def test_a_picture_for_the_network_is_the_same_however_it_lies_in_memory(large: Tensor) -> None:
    rows_of_pixels = large.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    one, other = (resample.send(each, torch.device("cpu")) for each in (large, rows_of_pixels))
    assert one.stride() == other.stride() == (one.numel(), 1, 3 * one.shape[3], 3)
    assert torch.equal(one, other)
    assert torch.equal(one, resample.dequantise(large))


def test_a_gpu_gets_the_copy_and_need_not_be_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[bool] = []
    to = Tensor.to

    def noted(self: Tensor, device: torch.device, *, non_blocking: bool = False) -> Tensor:
        waited.append(not non_blocking)
        return to(self, device, non_blocking=non_blocking)

    copies = Copies()
    gpu = torch.device("cuda")
    with FakeTensorMode():
        photograph = torch.zeros(3, 30, 40, dtype=torch.uint8)
        inputs = Inputs(photograph, [], copies=copies).to(gpu)
        monkeypatch.setattr(Tensor, "to", noted)
        sent = inputs.at(photograph, (30, 40))
    assert inputs.photograph.device.type == "cpu", "it stays where it came"
    assert (sent.device.type, sent.dtype, sent.shape) == ("cuda", torch.float32, (1, 3, 30, 40))
    assert waited == [False]
