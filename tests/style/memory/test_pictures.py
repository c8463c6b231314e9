"""What the pictures of a request take while it waits is what they do take."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from service.style.anchor import Anchor
from service.style.copies import Copies
from service.style.inputs import Inputs
from service.style.memory import pictures
from service.style.memory import prediction as memory
from service.style.options import Options

GIB = 2**30
OPTIONS = Options(size=300)
SQUARE = (512, 512)


def blank(height: int, width: int) -> Tensor:
    return torch.zeros(3, height, width, dtype=torch.uint8)


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        replace(OPTIONS, size=512),
        replace(OPTIONS, style_scale=0.3),
        replace(OPTIONS, init="noise"),
        replace(OPTIONS, init="image"),
        replace(OPTIONS, style_weight=0.0),
        replace(OPTIONS, anchor_weight=0.1),
        replace(OPTIONS, anchor_weight=0.1, init="image", local_strength=True),
    ],
)
def test_it_is_what_the_pictures_and_their_copies_take_pinned(options: Options) -> None:
    photograph, artworks = blank(512, 400), [blank(300, 512), blank(100, 90)]
    start = blank(512, 400) if options.init == "image" else None
    anchor = Anchor(blank(512, 400), blank(512, 400)[:1]) if options.anchor_weight else None
    strength = blank(512, 400)[:1] if options.local_strength else None
    copies: list[Tensor] = []

    def pin(copy: Tensor) -> Tensor:
        copies.append(copy)
        return copy

    Inputs(photograph, artworks, start=start, copies=Copies(pin), anchor=anchor).prepare(options)
    held = () if anchor is None else (anchor.picture, anchor.held)
    came = [each for each in (photograph, start, strength, *held, *artworks) if each is not None]
    taken = sum(each.numel() for each in came) + sum(power_of_two(each.numel()) for each in copies)
    alpha = 512 * 400
    assert pictures.held((512, 400), [(300, 512), (100, 90)], options) == taken + alpha


def power_of_two(size: int) -> int:
    """The next one, as torch's CachingHostAllocator rounds."""
    power = 1
    while power < size:
        power *= 2
    return power


def test_masks_and_a_start_count_as_large_as_they_are_kept_however_small_the_pictures() -> None:
    photograph, artworks = (40, 30), [(30, 30)]
    usual = pictures.held(photograph, artworks, OPTIONS)
    masked = pictures.held(photograph, artworks, OPTIONS, regions=2)
    assert masked - usual == 512 * 384 + 512 * 512
    drawn = pictures.held(photograph, artworks, replace(OPTIONS, init="image"))
    assert drawn - usual > 3 * 512 * 384


def test_a_start_is_taken_to_be_of_another_size_than_the_result() -> None:
    """It may be a little larger or smaller, and then there is a copy of it."""
    still = replace(OPTIONS, size=512, init="noise")
    drawn = replace(still, init="image")
    square = [pictures.held(SQUARE, [], each) for each in (still, drawn)]
    assert square[1] - square[0] > 2 * 3 * 512 * 512


def test_more_than_there_is_for_each_request_is_refused_and_says_what_to_change() -> None:
    room = pictures.held(SQUARE, [SQUARE], OPTIONS)
    memory.require_room(SQUARE, [SQUARE], OPTIONS, room)
    memory.require_room(SQUARE, [SQUARE] * 99, OPTIONS, None)
    with pytest.raises(memory.DoesNotFitError):
        memory.require_room(SQUARE, [SQUARE], OPTIONS, room - 1)
    with pytest.raises(memory.DoesNotFitError) as refusal:
        memory.require_room(SQUARE, [SQUARE], OPTIONS, 2**20)
    assert str(refusal.value) == (
        "the pictures take 3 MiB of memory or more while they wait, and 1 MiB are there for each request: "
        "ask for a smaller size or style_scale, or send fewer artworks"
    )
    with pytest.raises(memory.DoesNotFitError, match=r"ask for a smaller size$"):
        memory.require_room(SQUARE, [], OPTIONS, 2**20)


def test_what_is_ordinary_may_wait_in_a_container_of_4_gib_and_4096_px_before_a_gpu_in_one_of_8() -> None:
    """Five places. On a CPU they share the reserve; of 8 GiB, more than 2 are left whatever CUDA takes."""
    on_cpu, before_gpu = GIB // 2 // 5, 2 * GIB // 5
    full, large = (1024, 1024), (4096, 4096)
    memory.require_room(SQUARE, [SQUARE] * 8, Options(size=256), on_cpu)
    memory.require_room(full, [full] * 8, Options(size=1024, init="image"), on_cpu, regions=8)
    memory.require_room(large, [large], Options(size=4096), before_gpu)
    with pytest.raises(memory.DoesNotFitError):
        memory.require_room(large, [large] * 8, Options(size=4096), before_gpu)
