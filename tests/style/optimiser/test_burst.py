"""A CPU gets one evaluation at a time; a GPU several of small pictures, always as many for one size."""

import itertools

import pytest
import torch
from torch import Tensor

from devtools.serving import Clock
from service.style import transfer
from service.style.network.vgg import VGG
from service.style.optimiser.burst import MOST, at_once
from service.style.options import Options
from service.style.progress import Progress, finish
from service.style.schedule.stopwatch import Stopwatch
from service.style.transfer import stylize
from tests.style.conftest import slow_down


def test_a_cpu_does_what_it_is_told_at_once() -> None:
    assert [at_once(torch.device("cpu"), side**2) for side in (64, 512, 4096)] == [1, 1, 1]


def test_a_gpu_gets_the_fewer_the_larger_they_are() -> None:
    counts = [at_once(torch.device("cuda"), side**2) for side in (64, 256, 512, 1024, 2048, 4096)]
    assert counts == [MOST, MOST, 8, 2, 1, 1]


@pytest.mark.parametrize("iterations", [1, 9, 30])
def test_the_picture_is_the_same_with_several_at_once(
    network: VGG,
    photograph: Tensor,
    artwork: Tensor,
    monkeypatch: pytest.MonkeyPatch,
    iterations: int,
) -> None:
    options = Options(size=48, iterations=iterations)
    one = finish(stylize(network, photograph, [artwork], options))
    monkeypatch.setattr(transfer, "at_once", lambda device, pixels: 4)
    seen: list[Progress] = []
    several = finish(stylize(network, photograph, [artwork], options), seen.append)
    assert torch.equal(several.image, one.image)
    assert several.evaluations == one.evaluations == iterations
    assert [progress.evaluations for progress in seen] == [*range(1, iterations, 4), iterations]


def test_where_time_is_short_fewer_come_at_once(
    network: VGG, photograph: Tensor, artwork: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    slow_down(monkeypatch, clock, 1.0)
    monkeypatch.setattr(transfer, "at_once", lambda device, pixels: 8)
    seen: list[Progress] = []
    options = Options(size=48, budget=30.0)
    result = finish(stylize(network, photograph, [artwork], options, clock=clock), seen.append)
    made = [progress.evaluations for progress in seen]
    bursts = [after - before for before, after in itertools.pairwise([0, *made])]
    assert bursts[:3] == [1, 8, 8], "the first comes alone"
    assert bursts[-1] < 8, "another eight would not have ended in time"
    assert result.stopped == "budget"
    assert 25 < result.seconds <= 30


def test_a_plateau_is_found_at_the_same_evaluation_however_often_the_clock_cut_in(
    network: VGG, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [torch.full((3, 32, 32), value, dtype=torch.uint8) for value in (96, 160)]
    monkeypatch.setattr(transfer, "at_once", lambda device, pixels: 8)
    ends = []
    for never in (0, 3):  # so many at once never fit, and no more do
        seen: list[Progress] = []

        def fits(_: Stopwatch, pixels: int, evaluations: float, never: int = never, **about: float) -> bool:
            return not 0 < never < evaluations

        monkeypatch.setattr(Stopwatch, "fits", fits)
        result = finish(
            stylize(network, pictures[0], [pictures[1]], Options(size=32, iterations=1000)), seen.append
        )
        assert result.stopped == "converged"
        bursts = [after.evaluations - before.evaluations for before, after in itertools.pairwise(seen)]
        assert max(bursts) == (never or 8)
        ends.append((result.evaluations, result.image.tolist()))
    assert ends[0] == ends[1]
