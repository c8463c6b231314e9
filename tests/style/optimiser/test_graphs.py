"""Recordings do what the optimiser's steps do, for every picture of their shape, and are given up where they do not.

There is no GPU here. What stands for a CUDA graph notes every operation with its numbers and its tensors, and does
them again on the same tensors, writing what came out where it came out before: as a graph does. So whatever a step
decides in Python, or keeps anywhere else than in its tensors, is wrong in a replay.
"""

import gc
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from devtools.tape import Tape
from service.model.painting import PaintingModel
from service.style import transfer
from service.style.anchor import Anchor
from service.style.inputs import Inputs
from service.style.network.vgg import VGG
from service.style.optimiser.canvas import Canvas
from service.style.optimiser.canvas_objective import CanvasObjective
from service.style.optimiser.graphs import (
    LARGEST,
    REHEARSALS,
    REMEMBERED,
    CaptureOnGPU,
    Graphs,
    Recorded,
    _key,
    pairs,
)
from service.style.optimiser.lbfgs import LBFGS, most_pairs
from service.style.options import Options
from service.style.progress import Result, finish
from service.style.regions import Masks
from service.style.schedule.pyramid import EVALUATIONS
from service.style.transfer import stylize
from service.style.work import Work

SIZE = (36, 48)
OPTIONS = Options(size=48, iterations=12)
GPU = torch.device("cuda")
HELD = 1000
"""Bytes that each tape says it holds."""


class Recorder:
    """Makes tapes.

    Attributes:
        recorded: how many.
        replayed: how often any of them.
        spoil: by what replays multiply what a convolution gives.
    """

    def __init__(self) -> None:
        self.recorded = self.replayed = 0
        self.spoil = 1.0

    def __call__(self, function: Callable[[], object]) -> Recorded:
        self.recorded += 1
        tape = Tape(self.spoil)
        with tape:
            function()

        def replay() -> None:
            self.replayed += 1
            tape.replay()

        return Recorded(replay, HELD)


def no_capture(_: Callable[[], object]) -> Recorded:
    raise RuntimeError("CUDA error: operation not permitted when stream is capturing")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def graphs(recorder: Recorder) -> Graphs:
    return Graphs(2**30, recorder)


@pytest.fixture
def optimiser_of(network: VGG, photograph: Tensor, artwork: Tensor) -> Callable[..., LBFGS]:
    def make(
        *,
        network: VGG = network,
        photograph: Tensor = photograph,
        size: tuple[int, int] = SIZE,
        options: Options = OPTIONS,
        masks: Masks | None = None,
        anchor: Anchor | None = None,
        seed: int = 0,
        first_step: float = 0.2,
    ) -> LBFGS:
        inputs = Inputs(photograph, [artwork], masks, anchor=anchor)
        palette = inputs.palette(size, options)
        canvas = Canvas(
            palette.photograph,
            smooth=True,
            low=palette.low,
            high=palette.high,
            free=inputs.free(size, options),
        )
        objective = CanvasObjective(canvas, inputs.objective(network, size, options, palette=palette))
        return LBFGS(objective, canvas.near_origin(seed), history=5, first_step=first_step, recordable=True)

    return make


def recorded(graphs: Graphs, optimiser: LBFGS) -> LBFGS:
    """What replays it, which is recorded when it comes again."""
    graphs.replaying(optimiser)
    return graphs.replaying(optimiser)


def flat(u: Tensor) -> tuple[Tensor, Tensor]:
    return u.sum(), u


def painted(network: VGG, pictures: tuple[Tensor, Tensor], graphs: Graphs | None) -> Result:
    return finish(stylize(network, pictures[0], [pictures[1]], OPTIONS, graphs=graphs))


def test_a_picture_is_the_same_to_the_byte(
    network: VGG, photograph: Tensor, artwork: Tensor, graphs: Graphs, recorder: Recorder
) -> None:
    pictures = photograph, artwork
    without = painted(network, pictures, Graphs(room=0))
    for _ in range(3):  # seen, recorded, and from the recording of before
        found = painted(network, pictures, graphs)
        assert torch.equal(found.image, without.image)
        assert found.evaluations == without.evaluations == 12
    assert recorder.recorded == len(graphs) == 1
    assert recorder.replayed == REHEARSALS + 2 * 12


def test_one_recording_serves_all_that_are_not_longer_than_usual(
    network: VGG,
    photograph: Tensor,
    artwork: Tensor,
    graphs: Graphs,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transfer, "pairs", lambda device, *about: pairs(GPU, *about))
    for iterations, recorded in ((3, 0), (12, 1), (EVALUATIONS, 1), (EVALUATIONS + 1, 1), (40, 2)):
        finish(
            stylize(network, photograph, [artwork], replace(OPTIONS, iterations=iterations), graphs=graphs)
        )
        assert recorder.recorded == recorded


def test_the_history_is_as_long_as_memory_counts_on_and_for_what_is_never_recorded_no_longer() -> None:
    small, large = (3, 512, 512), (3, 2048, 2048)
    assert [pairs(GPU, small, count) for count in (3, EVALUATIONS, 40, None)] == [29, 29, 50, 50]
    for shape, device in ((large, GPU), (small, torch.device("cpu")), (large, torch.device("cpu"))):
        for count in (3, EVALUATIONS, 40, None):
            assert pairs(device, shape, count) == most_pairs(math.prod(shape), count)


def test_all_that_happens_in_a_long_descent_is_in_the_recording(
    optimiser_of: Callable[..., LBFGS], graphs: Graphs, recorder: Recorder
) -> None:
    """Rejected steps, pairs that are dropped, and a loss that is not finite."""
    plain, replaying = optimiser_of(first_step=8), recorded(graphs, optimiser_of(first_step=8))
    losses = plain.step(40)
    assert replaying.step(40) == losses
    assert len(set(losses)) < len(losses), "no step was rejected: this shows little"
    for each in (plain, replaying):
        each._direction.mul_(torch.nan)
    assert replaying.step(30) == plain.step(30)
    assert torch.equal(replaying.point, plain.point)
    assert recorder.replayed == REHEARSALS + 70


def test_what_was_given_is_left_alone(optimiser_of: Callable[..., LBFGS], graphs: Graphs) -> None:
    optimiser, untouched = optimiser_of(), optimiser_of()
    recorded(graphs, optimiser).step(5)
    assert optimiser.evaluations == 0
    assert optimiser.step(5) == untouched.step(5)


@pytest.mark.parametrize("guided", [False, True])
def test_other_pictures_of_the_same_shapes_take_the_same_recording(
    optimiser_of: Callable[..., LBFGS],
    photograph: Tensor,
    graphs: Graphs,
    recorder: Recorder,
    guided: bool,
) -> None:
    masks = [Masks((torch.rand(20, 20) < part).to(torch.uint8)) if guided else None for part in (0.3, 0.7)]

    def first(seed: int) -> LBFGS:
        return optimiser_of(masks=masks[0], seed=seed)

    def second(seed: int) -> LBFGS:
        return optimiser_of(photograph=photograph.flip(1), masks=masks[1], seed=seed)

    for number, make in enumerate((first, second, first, first, second, second)):
        assert graphs.replaying(make(number)).step(8) == make(number).step(8)
        gc.collect()  # one that is gone may leave its address to the next one
    assert first(0).step(8) != second(0).step(8), "this shows nothing"
    assert recorder.recorded == (2 if guided else 1), (
        "regions of another share of the picture weigh otherwise"
    )


@pytest.mark.parametrize(
    "change", ["weights", "variation", "layers", "pooling", "dtype", "size", "grey", "masks", "anchor"]
)
def test_what_is_part_of_a_recording_needs_another(
    network: VGG, optimiser_of: Callable[..., LBFGS], graphs: Graphs, recorder: Recorder, change: str
) -> None:
    changes: dict[str, dict[str, Any]] = {
        "weights": {"options": replace(OPTIONS, content_weight=0.5)},
        "variation": {"options": replace(OPTIONS, tv_weight=2.0)},
        "layers": {"options": replace(OPTIONS, style_layers={"conv1_1": 1.0})},
        "pooling": {"network": network.with_pooling("max")},
        "dtype": {"network": network.with_dtype(torch.bfloat16)},
        "size": {"size": (40, 48)},
        "grey": {"options": replace(OPTIONS, color="content-luminance")},
        "anchor": {
            "anchor": Anchor(
                torch.zeros(3, 36, 48, dtype=torch.uint8), torch.ones(1, 36, 48, dtype=torch.uint8)
            ),
            "options": replace(OPTIONS, anchor_weight=0.1),
        },
        "masks": {"masks": Masks(torch.eye(8, dtype=torch.uint8))},
    }
    changed = changes[change]
    recorded(graphs, optimiser_of())
    for _ in range(3):
        assert graphs.replaying(optimiser_of(**changed)).step(8) == optimiser_of(**changed).step(8)
    assert recorder.recorded == len(graphs) == 2


def test_recordings_that_were_not_used_for_longest_make_room(
    optimiser_of: Callable[..., LBFGS], recorder: Recorder
) -> None:
    def use(graphs: Graphs, height: int) -> int:
        before = recorder.recorded
        recorded(graphs, optimiser_of(size=(height, 48)))
        return recorder.recorded - before

    sizes = []
    for height in (36, 40, 44):
        alone = Graphs(2**30, recorder)
        use(alone, height)
        sizes.append(alone.size)
    assert HELD < sizes[0] < sizes[1] < sizes[2]
    graphs = Graphs(sizes[0] + sizes[2], recorder)
    assert [use(graphs, height) for height in (36, 40, 44)] == [1, 1, 1]
    assert len(graphs) == 1, "the oldest go first, until there is room"
    assert [use(graphs, height) for height in (36, 44, 36)] == [1, 0, 0]
    assert graphs.size == sizes[0] + sizes[2]
    assert use(graphs, 40) == 1
    assert use(graphs, 44) == 1, "it was used before the other two"
    graphs.clear()
    assert len(graphs) == graphs.size == 0


@pytest.mark.parametrize("room", [2**10, 2**24])
def test_what_there_is_no_room_for_is_not_recorded(
    optimiser_of: Callable[..., LBFGS], recorder: Recorder, room: int
) -> None:
    """Neither where its own tensors are too large, nor where it is found out afterwards."""
    graphs = Graphs(room, lambda function: recorder(function)._replace(size=2**24))
    for _ in range(3):
        optimiser = optimiser_of()
        assert recorded(graphs, optimiser) is optimiser
    assert recorder.recorded == (room == 2**24), "it is not tried again"
    assert graphs.size == 0


def test_what_there_is_no_room_for_costs_the_others_nothing(
    optimiser_of: Callable[..., LBFGS], recorder: Recorder
) -> None:
    alone = Graphs(2**30, recorder)
    recorded(alone, optimiser_of())
    graphs = Graphs(alone.size, recorder)
    recorded(graphs, optimiser_of())
    large = optimiser_of(size=(72, 96))
    assert recorded(graphs, large) is large
    assert len(graphs) == 1


def test_what_comes_for_the_first_time_or_in_haste_is_not_recorded(
    optimiser_of: Callable[..., LBFGS], graphs: Graphs, recorder: Recorder
) -> None:
    for may_record, count in ((True, 0), (False, 0), (True, 1)):
        optimiser = optimiser_of()
        replaying = graphs.replaying(optimiser, may_record=may_record)
        assert recorder.recorded == count
        assert (replaying is optimiser) == (count == 0)
    assert graphs.replaying(optimiser_of(), may_record=False).step() == optimiser_of().step()
    assert recorder.replayed == REHEARSALS + 1


def test_what_came_long_ago_is_new(optimiser_of: Callable[..., LBFGS], graphs: Graphs) -> None:
    graphs.replaying(optimiser_of())
    for height in range(REMEMBERED):
        point = torch.ones(1, 3, 16 + height, 16)
        graphs.replaying(LBFGS(flat, point, history=1, recordable=True))
    graphs.replaying(optimiser_of())
    assert len(graphs) == 0


def test_large_pictures_are_not_recorded(graphs: Graphs, recorder: Recorder) -> None:
    large = LBFGS(flat, torch.ones(1, 3, 1025, 1024), history=1, recordable=True)
    assert recorded(graphs, large) is large
    assert recorder.recorded == 0
    assert LARGEST == 1024 * 1024


def test_where_nothing_can_be_recorded_it_is_said_once_and_painted_all_the_same(
    network: VGG, photograph: Tensor, artwork: Tensor, caplog: pytest.LogCaptureFixture
) -> None:
    graphs, pictures = Graphs(2**30, no_capture), (photograph, artwork)
    with caplog.at_level(logging.WARNING):
        images = [painted(network, pictures, graphs).image for _ in range(3)]
    without = painted(network, pictures, Graphs(room=0)).image
    assert all(torch.equal(image, without) for image in images)
    (record,) = caplog.records
    assert "not replayed as CUDA graphs" in record.message
    assert "operation not permitted" in record.message


@pytest.mark.parametrize("factor", [1.1, float("nan")])
def test_a_recording_that_differs_is_not_trusted(
    optimiser_of: Callable[..., LBFGS],
    graphs: Graphs,
    recorder: Recorder,
    factor: float,
    caplog: pytest.LogCaptureFixture,
) -> None:
    recorder.spoil = factor
    for _ in range(4):
        optimiser = optimiser_of()
        assert graphs.replaying(optimiser) is optimiser
    assert (recorder.recorded, recorder.replayed, len(graphs)) == (1, REHEARSALS, 0)
    assert len(caplog.records) == 1


def test_a_loss_that_is_not_finite_is_no_reason_to_give_up(
    optimiser_of: Callable[..., LBFGS], graphs: Graphs, recorder: Recorder
) -> None:
    broken = optimiser_of()
    broken.point.mul_(torch.nan)
    assert recorded(graphs, broken) is broken
    assert recorder.recorded == 0
    recorded(graphs, optimiser_of())
    assert (recorder.recorded, len(graphs)) == (1, 1)


def test_the_service_s_model_paints_with_recordings_and_gives_their_memory_back(
    network: VGG, photograph: Tensor, artwork: Tensor, graphs: Graphs, recorder: Recorder
) -> None:
    model = PaintingModel(network, "vgg16", "", "", "cpu", "", graphs=graphs)
    for _ in range(2):
        *_, progress = model.paint(Work(photograph, [artwork], OPTIONS))
        assert progress.evaluations == 12
    assert (recorder.recorded, len(graphs)) == (1, 1)
    model.release()
    assert len(graphs) == 0


@pytest.mark.parametrize("also", ["device", "function"])
def test_optimisers_that_only_look_alike_are_told_apart(also: str) -> None:
    """What a recording takes from outside of its tensors has to be in what it is known by."""

    class One:
        def __init__(self) -> None:
            self.scale = torch.ones(())

        def __call__(self, u: Tensor) -> tuple[Tensor, Tensor]:
            return u.square().sum(), 2 * u

    class Other(One):
        pass

    def key(function: One) -> Any:
        return _key(LBFGS(function, torch.ones(1, 3, 16, 16), history=1, recordable=True))

    different: One = Other()
    if also == "device":
        different = One()
        different.scale = torch.ones((), device="meta")
    assert key(One()) == key(One())
    assert key(One()) != key(different)


class Stream(NamedTuple):
    """Says who waits for whom."""

    name: str
    said: list[str]

    def wait_stream(self, other: "Stream") -> None:
        self.said.append(f"{self.name} waits for {other.name}")


class FakeCUDA:
    """What there is of torch.cuda for a recording.

    Attributes:
        said: what it was asked for.
        current: the stream that is used.
    """

    def __init__(self, patch: pytest.MonkeyPatch, *, broken: bool) -> None:
        self.said: list[str] = []
        self.current = Stream("usual", self.said)
        self._broken = broken
        reserved = iter((100, 350))
        fakes: dict[str, Callable[..., object]] = {
            "current_stream": lambda: self.current,
            "Stream": lambda: Stream("own", self.said),
            "stream": self._on,
            "CUDAGraph": lambda: SimpleNamespace(replay=lambda: self.said.append("replay")),
            "graph": self._graph,
            "synchronize": lambda: self.said.append("synchronize"),
            "empty_cache": lambda: self.said.append("empty cache"),
            "memory_reserved": lambda: next(reserved),
        }
        for name, fake in fakes.items():
            patch.setattr(torch.cuda, name, fake)

    def step(self) -> None:
        self.said.append(f"step on {self.current.name}")

    @contextmanager
    def _on(self, stream: Stream) -> Iterator[None]:
        before, self.current = self.current, stream
        try:
            yield
        finally:
            self.current = before

    @contextmanager
    def _graph(self, graph: object, *, stream: Stream, capture_error_mode: str) -> Iterator[None]:
        before, self.current = self.current, stream
        self.said.append(f"capture, errors of this {capture_error_mode}")
        yield
        if self._broken:  # torch, too, leaves its stream only afterwards
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture")
        self.current = before


def test_a_step_is_made_on_the_stream_that_it_is_recorded_on_and_what_others_left_is_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuda = FakeCUDA(monkeypatch, broken=False)
    recorded = CaptureOnGPU()(cuda.step)
    assert cuda.said == [
        "own waits for usual",
        "step on own",
        "synchronize",
        "empty cache",
        "capture, errors of this thread_local",
        "step on own",
    ]
    assert recorded.size == 250
    recorded.replay()
    assert cuda.said[-1] == "replay"


@pytest.mark.parametrize("broken", [False, True])
def test_whatever_comes_of_a_recording_the_stream_is_the_one_of_before(
    monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    cuda = FakeCUDA(monkeypatch, broken=broken)
    with pytest.raises(RuntimeError, match="previous error") if broken else nullcontext():
        CaptureOnGPU()(cuda.step)
    assert cuda.current.name == "usual"
