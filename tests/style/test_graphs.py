"""Recordings give what evaluations give, for every picture of their shape, and are given up where they do not.

There is no GPU here. What stands for a CUDA graph does the recorded evaluation again, on the tensors that it was
recorded with and on no others, and writes the results where it wrote the first ones: as a graph does.
"""

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from service.jobs import Work
from service.model import PaintingModel
from service.style.graphs import LARGEST, Evaluated, Graphs
from service.style.objective import Objective
from service.style.options import Options
from service.style.progress import Result
from service.style.sources import Sources
from service.style.terms import ContentTerm, StyleTerm
from service.style.transfer import stylize
from service.style.vgg import VGG

SIZE = (36, 48)
OPTIONS = Options(size=48, iterations=12)


class Tape:
    """Records without a GPU.

    Attributes:
        recorded: how many functions.
        replayed: how often any of them.
        spoil: what is done to the results of a replay.
    """

    def __init__(self) -> None:
        self.recorded = self.replayed = 0
        self.spoil: Callable[[Tensor], Tensor] = lambda result: result

    def __call__(self, function: Callable[[], Evaluated]) -> tuple[Callable[[], object], Evaluated]:
        self.recorded += 1
        results = function()

        def replay() -> None:
            self.replayed += 1
            for old, new in zip(results, function(), strict=True):
                old.copy_(self.spoil(new))

        return replay, results


def no_capture(_: Callable[[], Evaluated]) -> tuple[Callable[[], object], Evaluated]:
    raise RuntimeError("CUDA error: operation not permitted when stream is capturing")


@pytest.fixture
def tape() -> Tape:
    return Tape()


@pytest.fixture
def objective(network: VGG, photograph: Tensor, artwork: Tensor) -> Objective:
    return Sources(photograph, [artwork]).objective(network, SIZE, OPTIONS)


def some_picture(seed: int, height: int = SIZE[0], width: int = SIZE[1]) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def same(one: Evaluated, other: Evaluated) -> bool:
    return torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])


def painted(network: VGG, pictures: tuple[Tensor, Tensor], graphs: Graphs | None) -> Result:
    steps = stylize(network, pictures[0], [pictures[1]], OPTIONS, graphs=graphs)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: Result = stop.value
            return result


def test_a_picture_is_the_same_to_the_byte(
    network: VGG, photograph: Tensor, artwork: Tensor, tape: Tape
) -> None:
    graphs = Graphs(tape)
    pictures = photograph, artwork
    without = painted(network, pictures, None)
    for _ in range(2):  # recorded, and from the recordings of before
        assert torch.equal(painted(network, pictures, graphs).image, without.image)
    assert tape.recorded == len(graphs) == 1
    assert tape.replayed == 2 * 12, "the first of all was evaluated, and the recording checked against it"


def test_each_picture_is_evaluated_and_what_came_out_is_kept(objective: Objective, tape: Tape) -> None:
    graphs = Graphs(tape)
    pictures = [some_picture(seed) for seed in range(4)]
    found = [graphs.loss_and_gradient(objective, x) for x in pictures]
    assert all(same(got, objective.loss_and_gradient(x)) for got, x in zip(found, pictures, strict=True))
    assert (tape.recorded, tape.replayed) == (1, 4)


def test_the_pictures_that_were_given_are_left_alone(objective: Objective, tape: Tape) -> None:
    graphs, x = Graphs(tape), some_picture(0)
    terms = [term for term in objective.descended if isinstance(term, ContentTerm | StyleTerm)]
    assert len(terms) == len(objective.descended)
    targets = [term.target.clone() for term in terms]
    graphs.loss_and_gradient(objective, x)
    graphs.loss_and_gradient(objective, some_picture(1))
    assert torch.equal(x, some_picture(0))
    assert all(torch.equal(a.target, b) for a, b in zip(terms, targets, strict=True))


@pytest.mark.parametrize("guided", [False, True])
def test_other_targets_of_the_same_shapes_are_taken_over(
    network: VGG, photograph: Tensor, artwork: Tensor, objective: Objective, tape: Tape, guided: bool
) -> None:
    other = Sources(photograph.flip(1), [artwork.flip(0, 2)]).objective(network, SIZE, OPTIONS)
    if guided:
        for each, seed in ((objective, 1), (other, 2)):
            random = torch.Generator().manual_seed(seed)
            each.descended = [
                replace(term, guide=torch.rand(SIZE[0] >> n, SIZE[1] >> n, generator=random))
                if isinstance(term, StyleTerm)
                else term
                for term in each.descended
                for n in [VGG.poolings_before(term.layer)]
            ]
    graphs, x = Graphs(tape), some_picture(0)
    for each in (objective, other, objective, objective, other):
        assert same(graphs.loss_and_gradient(each, x), each.loss_and_gradient(x))
    assert not same(objective.loss_and_gradient(x), other.loss_and_gradient(x)), "this shows nothing"
    assert tape.recorded == 1


def test_new_targets_in_the_place_of_old_ones_are_noticed(
    network: VGG, photograph: Tensor, artwork: Tensor, tape: Tape
) -> None:
    """An objective that is gone may leave its address to the next one."""
    graphs, x = Graphs(tape), some_picture(0)
    for flipped in range(4):
        picture = photograph.flip(1) if flipped % 2 else photograph
        objective = Sources(picture, [artwork]).objective(network, SIZE, OPTIONS)
        assert same(graphs.loss_and_gradient(objective, x), objective.loss_and_gradient(x))
        del objective
    assert tape.recorded == 1


@pytest.mark.parametrize("change", ["weights", "variation", "layers", "pooling", "dtype", "size", "grey"])
def test_what_is_part_of_a_recording_needs_another(
    network: VGG, photograph: Tensor, artwork: Tensor, objective: Objective, tape: Tape, change: str
) -> None:
    size, options, x = SIZE, OPTIONS, some_picture(1)
    if change == "weights":
        options = replace(options, content_weight=0.5)
    if change == "variation":
        options = replace(options, tv_weight=2.0)
    if change == "layers":
        options = replace(options, style_layers={"conv1_1": 1.0})
    if change == "pooling":
        network = network.with_pooling("max")
    if change == "dtype":
        network = network.with_dtype(torch.bfloat16)
    if change == "size":
        size, x = (40, 48), some_picture(1, 40)
    if change == "grey":
        x = x[:, :1]
    other = Sources(photograph, [artwork]).objective(network, size, options)
    graphs = Graphs(tape)
    graphs.loss_and_gradient(objective, some_picture(0))
    for _ in range(2):
        assert same(graphs.loss_and_gradient(other, x), other.loss_and_gradient(x))
    assert tape.recorded == len(graphs) == 2


def test_recordings_that_were_not_used_for_longest_make_room(
    network: VGG, photograph: Tensor, artwork: Tensor, tape: Tape
) -> None:
    sizes = [(36, 48), (40, 48), (44, 48)]
    objectives = {size: Sources(photograph, [artwork]).objective(network, size, OPTIONS) for size in sizes}
    graphs = Graphs(tape, room=(36 + 44) * 48)

    def use(size: tuple[int, int]) -> int:
        before = tape.recorded
        graphs.loss_and_gradient(objectives[size], some_picture(0, *size))
        return tape.recorded - before

    assert [use(size) for size in sizes] == [1, 1, 1]
    assert len(graphs) == 1, "the oldest go first, until there is room"
    assert [use((36, 48)), use((44, 48)), use((36, 48))] == [1, 0, 0]
    assert use((40, 48)) == 1
    assert use((44, 48)) == 1, "it was used before the other two"
    graphs.clear()
    assert len(graphs) == 0


def test_large_pictures_are_not_recorded(objective: Objective, tape: Tape) -> None:
    graphs = Graphs(tape, room=SIZE[0] * SIZE[1] - 1)
    x = some_picture(0)
    assert same(graphs.loss_and_gradient(objective, x), objective.loss_and_gradient(x))
    assert tape.recorded == 0
    assert LARGEST == 1024 * 1024


def test_where_nothing_can_be_recorded_it_is_said_once_and_evaluated_all_the_same(
    network: VGG, photograph: Tensor, artwork: Tensor, caplog: pytest.LogCaptureFixture
) -> None:
    graphs, pictures = Graphs(no_capture), (photograph, artwork)
    with caplog.at_level(logging.WARNING):
        image = painted(network, pictures, graphs).image
    assert torch.equal(image, painted(network, pictures, None).image)
    (record,) = caplog.records
    assert "not replayed as CUDA graphs" in record.message
    assert "operation not permitted" in record.message


@pytest.mark.parametrize("factor", [1.1, float("nan")])
def test_a_replay_that_differs_is_not_trusted(
    objective: Objective, tape: Tape, factor: float, caplog: pytest.LogCaptureFixture
) -> None:
    tape.spoil = lambda result: result * factor
    graphs, x = Graphs(tape), some_picture(0)
    for _ in range(3):
        assert same(graphs.loss_and_gradient(objective, x), objective.loss_and_gradient(x))
    assert (tape.recorded, tape.replayed, len(graphs)) == (1, 1, 0)
    assert len(caplog.records) == 1


def test_a_loss_that_is_not_finite_is_no_reason_to_give_up(objective: Objective, tape: Tape) -> None:
    graphs, broken = Graphs(tape), torch.full((1, 3, *SIZE), torch.nan)
    assert graphs.loss_and_gradient(objective, broken)[0].isnan()
    assert tape.recorded == 0
    graphs.loss_and_gradient(objective, some_picture(0))
    assert (tape.recorded, len(graphs)) == (1, 1)


def test_the_service_s_model_paints_with_recordings_and_gives_their_memory_back(
    network: VGG, photograph: Tensor, artwork: Tensor, tape: Tape
) -> None:
    graphs = Graphs(tape)
    model = PaintingModel(network, "vgg16", "", "", "cpu", "", "", graphs=graphs)
    *_, progress = model.paint(Work(photograph, [artwork], OPTIONS))
    assert progress.evaluations == 12
    assert (tape.recorded, len(graphs)) == (1, 1)
    model.release()
    assert len(graphs) == 0
