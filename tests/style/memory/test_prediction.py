"""What is predicted is what torch's allocator hands out."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.profiler import ProfilerActivity, profile

from service.style import resample
from service.style.anchor import Anchor
from service.style.inputs import Inputs
from service.style.loss import evaluation
from service.style.loss.objective import Objective
from service.style.memory import ledger, pictures
from service.style.memory import prediction as memory
from service.style.network import strips, winograd
from service.style.network.vgg import VGG, Arch
from service.style.optimiser.lbfgs import LBFGS
from service.style.options import Color, Options
from service.style.regions import Masks
from service.style.schedule import pyramid
from service.style.transfer import stylize

MIB = 2**20
SQUARE = (512, 512)
PAPER = Options(size=512)
SHALLOW = Options(
    size=160, content_layers={"conv2_2": 1.0}, style_layers={"conv1_1": 0.5, "conv2_1": 0.5}, init="noise"
)


def allocated(run: Callable[[], object]) -> int:
    """The most bytes that were allocated at the same time, besides those from before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    assert profiler.profiler is not None
    assert profiler.profiler.kineto_results is not None
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    held = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


@pytest.fixture(scope="module")
def network(whole_network: VGG) -> VGG:
    """With all of its channels, which are counted."""
    return whole_network


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strips, "POSITIONS", 1)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("recomputed", [0, 1, 2])
@pytest.mark.parametrize("size", [(160, 128), (161, 127)])
def test_an_evaluation_takes_what_is_counted(
    network: VGG, artwork: Tensor, size: tuple[int, int], recomputed: int
) -> None:
    photograph = artwork.repeat(1, 4, 4)[:, : size[0], : size[1]]
    objective = Inputs(photograph, [photograph]).objective(network, size, SHALLOW)
    x = torch.rand(1, 3, *size)
    taken = allocated(lambda: evaluation.loss_and_gradient(network, x, objective.terms, recomputed))
    blocks = ledger.blocks_of(network, size, {"conv1_1", "conv2_1", "conv2_2"})
    counted = ledger.evaluation(blocks, {"conv2_2"}, {"conv1_1", "conv2_1"}, recomputed)
    assert taken == pytest.approx(counted, rel=0.05)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("recomputed", [0, 1, 2])
@pytest.mark.parametrize("size", [(160, 128), (161, 127)])
def test_an_evaluation_by_winograd_takes_what_is_counted(
    network: VGG, artwork: Tensor, size: tuple[int, int], recomputed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winograd, "STRIP_BYTES", 1)  # what a strip of tiles takes is part of ALLOCATOR
    monkeypatch.setattr(winograd, "MOST_BYTES", 2**18)
    network = network.with_winograd()
    assert network.has_winograd
    photograph = artwork.repeat(1, 4, 4)[:, : size[0], : size[1]]
    objective = Inputs(photograph, [photograph]).objective(network, size, SHALLOW)
    x = torch.rand(1, 3, *size)
    taken = allocated(lambda: evaluation.loss_and_gradient(network, x, objective.terms, recomputed))
    blocks = ledger.blocks_of(network, size, {"conv1_1", "conv2_1", "conv2_2"})
    counted = ledger.evaluation(blocks, {"conv2_2"}, {"conv1_1", "conv2_1"}, recomputed)
    assert taken == pytest.approx(counted, rel=0.05)


@pytest.mark.parametrize("evaluations", [1, 6])
def test_a_transfer_takes_what_is_counted(network: VGG, artwork: Tensor, evaluations: int) -> None:
    photograph = artwork.repeat(1, 4, 4)[:, :160, :128]
    options = replace(SHALLOW, iterations=evaluations)
    predicted = memory.need(network, (160, 128), [(160, 128)], options).peak - memory.ALLOCATOR
    taken = allocated(lambda: list(stylize(network, photograph, [photograph], options)))
    assert taken == pytest.approx(predicted, rel=0.1)


@pytest.mark.parametrize("evaluations", [1, 6])
@pytest.mark.parametrize("what", ["an anchor", "a mask of strengths"])
def test_what_is_added_to_eq_7_counts(network: VGG, artwork: Tensor, evaluations: int, what: str) -> None:
    photograph = artwork.repeat(1, 4, 4)[:, :160, :128]
    plane = photograph[:1]
    options = replace(SHALLOW, iterations=evaluations)
    extra: dict[str, Any] = {}
    if what == "an anchor":
        options, extra = replace(options, anchor_weight=0.1), {"anchor": Anchor(photograph.clone(), plane)}
    else:
        options, extra = replace(options, local_strength=True), {"strength": plane}
    predicted = memory.need(network, (160, 128), [(160, 128)], options).peak - memory.ALLOCATOR
    taken = allocated(lambda: list(stylize(network, photograph, [photograph], options, **extra)))
    assert taken == pytest.approx(predicted, rel=0.1)


@pytest.mark.parametrize("what", ["content", "style"])
def test_a_reconstruction_takes_what_is_counted(network: VGG, artwork: Tensor, what: str) -> None:
    picture = artwork.repeat(1, 4, 4)[:, :160, :128]
    options = replace(SHALLOW, iterations=6)
    if what == "content":
        options, artworks = replace(options, style_weight=0.0), []
    else:
        options, artworks = replace(options, content_weight=0.0), [picture]
    sizes = [(160, 128) for _ in artworks]
    predicted = memory.need(network, (160, 128), sizes, options).peak - memory.ALLOCATOR
    taken = allocated(lambda: list(stylize(network, picture, artworks, options)))
    assert taken == pytest.approx(predicted, rel=0.1)


def test_resizing_a_large_photograph_to_a_small_one_counts(network: VGG) -> None:
    small = replace(PAPER, size=64)
    usual = memory.need(network, SQUARE, [SQUARE], small).peak
    large = memory.need(network, (4000, 6000), [SQUARE], small).peak
    assert large - usual > 9 * 4000 * 6000


def test_copies_at_each_scale_count_once_for_each_size(network: VGG) -> None:
    small = replace(PAPER, size=256)
    usual = memory.need(network, SQUARE, [(64, 64)], small).peak
    bytes_of_copies = 3 * (64**2 + 128**2 + 256**2)
    assert pictures.counted(SQUARE, [(64, 64)], small) == (3 * 512**2 + bytes_of_copies + 2 * 3 * 64**2), (
        "an artwork is not enlarged: it has one size at all scales"
    )
    unpainted = replace(small, style_weight=0.0)
    assert pictures.counted(SQUARE, [SQUARE], unpainted) == 2 * 3 * 512**2 + bytes_of_copies
    more = memory.need(network, SQUARE, [(64, 64)], replace(small, init="image")).peak - usual
    assert more == 3 * 512**2 + bytes_of_copies + 12 * 256**2, "and the start as the network sees it"


def test_copies_have_at_most_five_thirds_of_the_pixels_of_the_result_and_four_at_powers_of_two() -> None:
    for size in (*range(64, 800), 1023, 1024, 1449, 2048):
        scales = pyramid.scales(size, size, "content")
        pixels = sum(scale**2 for scale in scales) / size**2
        assert pixels <= 5 / 3
        assert pixels <= 4 / 3 or size not in (64, 128, 256, 512, 1024, 2048)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("color", ["style", "content-match", "content-luminance"])
def test_a_transfer_with_regions_or_other_colours_takes_about_what_is_counted(
    network: VGG, artwork: Tensor, color: Color, number: int
) -> None:
    photograph = artwork.repeat(1, 4, 4)[:, :160, :128]
    labels = torch.ones(160, 128, dtype=torch.uint8)
    labels[80:] = number
    labels[:, 120:] = 0
    options = replace(SHALLOW, iterations=6, color=color, init="image")
    predicted = memory.need(network, (160, 128), [(160, 128)], options, regions=number).peak
    taken = allocated(
        lambda: list(
            stylize(network, photograph, [photograph], options, masks=Masks(labels), start=photograph)
        )
    )
    assert taken == pytest.approx(predicted - memory.ALLOCATOR, rel=0.2)


def test_a_scale_that_is_over_leaves_nothing_behind(
    network: VGG, photograph: Tensor, artwork: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who keeps the latest progress, as everybody does, must not keep the history of the scale before."""
    alive, compute = [], Objective.loss_and_gradient

    def look(self: Objective, x: Tensor) -> tuple[Tensor, Tensor]:
        alive.append(sum(type(each) is LBFGS for each in gc.get_objects()))
        return compute(self, x)

    monkeypatch.setattr(Objective, "loss_and_gradient", look)
    sizes = set()
    for progress in stylize(network, photograph, [artwork], Options(size=128, iterations=6)):
        sizes.add(progress.size)
    assert len(sizes) == 2
    assert alive == [1] * 6


def test_the_less_there_is_the_more_is_computed_again(network: VGG) -> None:
    square = (2048, 2048)
    options = replace(PAPER, size=2048)
    free = memory.need(network, square, [square], options)
    assert (free.recomputed, free.blocks) == (0, 5)
    assert free.peak < 6 * 2**30
    tight = memory.need(network, square, [square], options, free.peak - 1)
    assert tight.recomputed == 1
    assert tight.peak < free.peak
    least = memory.need(network, square, [square], options, 0)
    assert least.recomputed > 1
    assert least.peak < 0.6 * free.peak


def test_bfloat16_takes_less_and_a_larger_picture_more(network: VGG) -> None:
    usual = memory.need(network, SQUARE, [SQUARE], PAPER).peak
    assert memory.need(network.with_dtype(torch.bfloat16), SQUARE, [SQUARE], PAPER).peak < usual
    assert memory.need(network, SQUARE, [SQUARE], replace(PAPER, size=1024)).peak > 3 * usual
    assert memory.need(network, SQUARE, [SQUARE] * 8, PAPER).peak >= usual
    large = memory.need(network, SQUARE, [(4096, 4096)], replace(PAPER, style_scale=4))
    assert large.peak > usual


def test_a_picture_that_does_not_fit_is_refused_with_the_largest_that_does(network: VGG) -> None:
    bound = 300 * MIB
    options = replace(PAPER, size=2048)
    with pytest.raises(memory.DoesNotFitError) as refusal:
        memory.require(network, SQUARE, [SQUARE], options, bound)
    size = memory.largest(network, SQUARE, [SQUARE], options, bound, 2047)
    assert size is not None
    need = memory.amount(memory.need(network, SQUARE, [SQUARE], options, bound).peak)
    assert str(refusal.value) == (
        f"size 2048 needs {need} of memory, and 300 MiB are there for a request: ask for at most {size}"
    )
    memory.require(network, SQUARE, [SQUARE], replace(options, size=size), bound)
    with pytest.raises(memory.DoesNotFitError):
        memory.require(network, SQUARE, [SQUARE], replace(options, size=size + 1), bound)


def test_where_nothing_fits_no_size_is_named(network: VGG) -> None:
    with pytest.raises(
        memory.DoesNotFitError, match="send smaller artworks, or ask for a smaller style_scale"
    ):
        memory.require(network, SQUARE, [SQUARE], PAPER, 1)


def test_a_transfer_is_refused_before_it_begins_and_recomputes_where_it_has_to(
    network: VGG, photograph: Tensor, artwork: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Options(size=64, iterations=2, init="noise")
    with pytest.raises(memory.DoesNotFitError):
        next(stylize(network, photograph, [artwork], options, memory_bound=MIB))
    asked = []
    compute = evaluation.loss_and_gradient

    def spy(*arguments: object) -> tuple[Tensor, Tensor]:
        asked.append(arguments[3])
        return compute(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(evaluation, "loss_and_gradient", spy)
    monkeypatch.setattr(strips, "POSITIONS", 1)
    sizes = ((36, 48), [(50, 40)])
    free = memory.need(network, *sizes, options)
    list(stylize(network, photograph, [artwork], options, memory_bound=free.peak))
    list(stylize(network, photograph, [artwork], options, memory_bound=free.peak - 1))
    assert asked[:2] == [0, 0]
    assert asked[2] > 0  # type: ignore[operator]


@pytest.mark.parametrize(
    ("size", "text"),
    [(300 * MIB, "300 MiB"), (2**30, "1.0 GiB"), (5 * 2**30 + 2**28, "5.2 GiB"), (23 * 2**30, "23 GiB")],
)
def test_an_amount_is_told_in_two_or_three_digits(size: int, text: str) -> None:
    assert memory.amount(size) == text


@pytest.fixture(scope="module")
def gpu(weights_of: Callable[[Arch, int], dict[str, Tensor]]) -> Iterator[VGG]:
    """A network on a GPU, which has sizes and no numbers."""
    with FakeTensorMode():
        weights = {name: torch.empty(tensor.shape) for name, tensor in weights_of("vgg16", 0).items()}
        yield VGG("vgg16", weights).to("cuda")


def test_on_a_gpu_pictures_do_not_count_which_stay_with_the_cpu(gpu: VGG) -> None:
    small, huge = replace(PAPER, size=64), (4096, 4096)
    usual = memory.need(gpu, SQUARE, [SQUARE], small).peak
    assert memory.need(gpu, huge, [huge], small).peak == usual
    masked = [memory.need(gpu, size, [SQUARE], small, regions=1).peak for size in (SQUARE, huge)]
    assert masked[1] - masked[0] == 4096**2 - 512**2, "but their masks are on it"


def test_on_a_gpu_the_history_is_there_from_the_first_evaluation_on(network: VGG, gpu: VGG) -> None:
    single = replace(PAPER, iterations=1, init="noise")
    counted = [memory.need(each, SQUARE, [SQUARE], single).peak for each in (network, gpu)]
    history = 29 * 2 * 12 * 512 * 512  # as for thirty: one recording serves them all
    came = pictures.counted(SQUARE, [SQUARE], single)
    assert counted[1] - counted[0] == history + memory.SCRATCH - memory.ALLOCATOR - came


def test_the_largest_square_is_that_of_pictures_as_the_service_keeps_them(network: VGG) -> None:
    bound = 300 * MIB
    size = memory.largest_square(network, bound, 4096)
    assert size is not None
    for each, fits in ((size, True), (size + 1, False)):
        kept = (resample.kept(each),) * 2
        assert (memory.need(network, kept, [kept], Options(size=each), bound).peak <= bound) == fits
    assert memory.largest_square(network, bound, size - 1) == size - 1
    assert memory.largest_square(network, MIB, 4096) is None


def test_the_largest_square_may_wait_too(network: VGG) -> None:
    square = (1000, 1000)
    room = pictures.held(square, [square], Options(size=1000))
    assert memory.largest_square(network, 2**40, 4096, room) == 1000
    assert memory.largest_square(network, 2**40, 4096, room - 1) == 999
