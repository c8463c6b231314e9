"""What is painted before the first request comes."""

from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch

from devtools.serving import Clock, settings
from service.intake.bounds import Bounds
from service.model import warm_up
from service.model.painting import WARM_UP_SIZES, PaintingModel, load_model
from service.style import transfer
from service.style.network.vgg import VGG
from service.style.optimiser.graphs import Graphs, Recorded, pairs
from service.style.options import Options
from service.style.progress import Progress, Result
from service.style.schedule.pyramid import scales
from service.style.work import Shapes, Work
from tests.style.conftest import thin_network

SIZE = 96
"""Two scales: 64 px, and itself."""


@dataclass(frozen=True)
class Watched(PaintingModel):
    """Notes what is painted. Each evaluation moves its clock, and each picture whose painting ended is counted."""

    works: list[Work] = field(default_factory=list)
    evaluated: Counter[tuple[int, int]] = field(default_factory=Counter)
    ended: list[Work] = field(default_factory=list)
    seconds: float = 0.0

    def paint(self, work: Work) -> Generator[Progress, None, Result]:
        self.works.append(work)
        steps = super().paint(work)
        try:
            while True:
                try:
                    progress = next(steps)
                except StopIteration as stop:
                    result: Result = stop.value
                    return result
                self.evaluated[progress.size] += 1
                if isinstance(self.clock, Clock):
                    self.clock.now += self.seconds
                yield progress
        finally:
            steps.close()
            self.ended.append(work)


@pytest.fixture(scope="module")
def network() -> VGG:
    return thin_network()


@pytest.fixture
def on_gpu(network: VGG) -> Watched:
    """It says so; the network is on the CPU, where all that is painted can be."""
    return Watched(
        network,
        "vgg16",
        "",
        "",
        "cuda",
        torch.__version__,
        default_size=SIZE,
        clock=Clock(),
        seconds=0.01,
    )


def usual(model: Watched) -> list[Work]:
    """What was painted beside the squares that are measured."""
    return model.works[len(WARM_UP_SIZES) :]


def test_on_a_gpu_every_scale_of_the_usual_shapes_is_painted_before_it_is_ready(on_gpu: Watched) -> None:
    on_gpu.warm_up()
    assert [tuple(work.content.shape[-2:]) for work in usual(on_gpu)] == [
        shape for shape in [(72, 96), (96, 72), (64, 96), (96, 64), (96, 96), (54, 96), (96, 54)] for _ in range(2)
    ]  # fmt: skip
    for size in [(72, 96), (48, 64), (64, 48), (43, 64), (64, 43), (54, 96), (36, 64)]:
        assert on_gpu.evaluated[size] == 2 * warm_up.EVALUATIONS, size
    assert on_gpu.evaluated[96, 96] == 2 * warm_up.EVALUATIONS


def test_every_scale_of_the_usual_shapes_is_recorded_and_serves_the_first_request(
    on_gpu: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "pairs", lambda _, *about: pairs(torch.device("cuda"), *about))
    monkeypatch.setattr(warm_up, "RATIOS", warm_up.RATIOS[:2])
    replayed = 0

    def capture(function: Callable[[], object]) -> Recorded:
        def replay() -> None:
            nonlocal replayed
            replayed += 1
            function()

        return Recorded(replay, 0)

    model = replace(on_gpu, graphs=Graphs(2**30, capture))
    model.warm_up()
    assert len(model.graphs or ()) == len(on_gpu.evaluated.keys() - {(size, size) for size in WARM_UP_SIZES})
    before = replayed
    picture = torch.zeros(3, 72, 96, dtype=torch.uint8)
    picture[0] = 255  # in colour: a grey picture of grey ones has recordings of its own
    *_, progress = model.paint(Work(picture, [picture.flip(2)], Options(size=SIZE)))
    assert replayed - before == progress.evaluations == 60


def test_what_an_evaluation_costs_is_measured_as_without(
    on_gpu: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_up, "RATIOS", warm_up.RATIOS[:1])
    on_gpu.warm_up()
    assert on_gpu.costs == {size**2: pytest.approx(0.01) for size in WARM_UP_SIZES}


def test_on_a_cpu_nothing_but_the_squares_is_painted(on_gpu: Watched) -> None:
    on_cpu = replace(on_gpu, device="cpu")
    on_cpu.warm_up()
    assert [work.options.size for work in on_cpu.works] == [*WARM_UP_SIZES]


def test_the_shapes_are_those_of_the_size_that_the_settings_leave_for_requests(vgg16_dir: Path) -> None:
    model = load_model(settings(weights_dir=vgg16_dir, backbone="vgg16", device="cpu", max_size=128))
    assert model.default_size == 128


@pytest.mark.parametrize(("seconds", "painted"), [(1.1, 1), (0.7, 2), (0.3, 3)])
def test_when_the_time_is_over_it_is_ready_within_an_evaluation(
    on_gpu: Watched, seconds: float, painted: int
) -> None:
    """Six evaluations of each shape, twice."""
    model = replace(on_gpu, seconds=seconds)
    model.warm_up()
    assert len(usual(model)) == painted  # of the seven shapes, each twice
    evaluations = sum(model.evaluated.values()) - 3 * len(WARM_UP_SIZES)
    assert warm_up.SECONDS <= evaluations * seconds < warm_up.SECONDS + seconds
    assert model.ended == model.works, "the last one has been given up"


def test_shapes_that_do_not_fit_into_the_memory_are_left_out(on_gpu: Watched) -> None:
    need = on_gpu.need(Shapes((256, 256), [(256, 256)], Options(init="noise", size=256))).peak
    model = replace(on_gpu, default_size=4096, memory=need)
    model.warm_up()
    assert len(usual(model)) == 2 * len(warm_up.RATIOS)
    assert sum(model.evaluated.values()) == 3 * len(WARM_UP_SIZES)


def test_at_the_default_size_all_shapes_together_have_few_pixels() -> None:
    size = Bounds.of_device("cuda", ()).default_size
    pixels = sum(
        round(height * width * (scale / size) ** 2)
        for height, width in warm_up.shapes(size)
        for scale in scales(height, width, "content")
    )
    assert pixels < 2**21, "so that recordings of all of them have room"
