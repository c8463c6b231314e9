"""The simulation's pod lets in whom the service lets in."""

import math
import random
from collections.abc import Iterator

import pytest
import torch

from benchmarks.service.simulated.pod import Picture, Pod, Refusal, Rules
from devtools.serving import WORK, Clock, FakeModel
from service.engine.admission import Admission
from service.engine.cost import after, pixels
from service.engine.engine import Engine, State
from service.engine.refusals import CannotMeetDeadlineError, QueueFullError
from service.monitoring.metrics import Metrics
from service.style.loss.objective import Losses
from service.style.options import Options
from service.style.progress import Result
from service.style.work import Work


class Real:
    """The service's own admission and queue, with an engine whose thread is this one, on a clock that is set."""

    def __init__(self, rules: Rules, work: Work) -> None:
        self.clock = Clock()
        self.clock.now = 0.0
        self.engine = Engine(FakeModel, Metrics(), clock=self.clock)
        self.engine._state = State.READY
        self.admission = Admission(self.engine, rules.places, jitter=lambda: 1.0)
        self._rules = rules
        self._work = work
        self._takes: dict[str, float] = {}
        self._ends = math.inf
        self._cut = False

    def offer(self, now: float, seconds: float) -> Refusal | None:
        self._run_until(now)
        self.clock.now = now
        label = str(len(self._takes))
        self._takes[label] = seconds
        try:
            with self.admission.admit(self._rules.deadline) as ticket:
                ticket.submit(self._work, label)
        except QueueFullError:
            return Refusal.QUEUE_FULL
        except CannotMeetDeadlineError:
            return Refusal.DEADLINE
        self._begin()
        return None

    def _run_until(self, now: float) -> None:
        while self._ends <= now:
            self.clock.now = self._ends
            self._end()
            self._begin()

    def _begin(self) -> None:
        queue = self.engine.queue
        if queue.running is None and queue.depth:
            job = queue.take(lambda: None)
            assert job is not None
            assert self.clock.now < job.deadline
            limit = job.begin(self.clock.now, after(job.work)).options.time_limit
            assert limit is not None
            takes = self._takes[job.label]
            self._ends = self.clock.now + min(takes, limit)
            self._cut = limit < min(takes, self._rules.longest)

    def _end(self) -> None:
        job = self.engine.queue.running
        assert job is not None
        assert job.started is not None
        job.busy_seconds = self.clock.now - job.started
        self.engine.queue.done()
        self._ends = math.inf
        losses = Losses(0, 0, 0, 0, {})
        job.end(Result(torch.zeros(3, 1, 1), losses, 1, "budget", job.busy_seconds, self._cut))


@pytest.fixture
def left() -> list[Picture]:
    return []


@pytest.mark.parametrize("seconds", [0.5, 3.0, 15.0], ids="pictures of {} s".format)
@pytest.mark.parametrize("deadline", [4.0, 20.0, 120.0, math.inf], ids="deadline {} s".format)
@pytest.mark.parametrize("load", [0.5, 1.0, 3.0], ids="load {}".format)
def test_every_decision_is_that_of_the_service(seconds: float, deadline: float, load: float) -> None:
    longest = 20.0
    work = Work(WORK.content, [], Options(size=32, time_limit=longest))
    rules = Rules(places=4, deadline=deadline, longest=longest, megapixels=pixels(work) / 1e6)
    real, simulated = Real(rules, work), Pod(rules, 0.0, lambda _: None)
    generator = random.Random(f"{seconds} {deadline} {load}")
    now, decisions = 0.0, []
    for _ in range(400):
        now += generator.expovariate(load / seconds)
        takes = seconds * generator.uniform(0.3, 1.7)
        decisions.append((simulated.offer(now, takes), simulated.inside(now)))
        assert decisions[-1] == (real.offer(now, takes), real.admission.taken)
    assert None in {decision for decision, _ in decisions}


def _arrivals(rate: float, count: int, seed: int) -> Iterator[tuple[float, float]]:
    """Times of arrival, and random numbers of an exponential distribution of mean 1."""
    generator = random.Random(seed)
    now = 0.0
    for _ in range(count):
        now += generator.expovariate(rate)
        yield now, generator.expovariate(1.0)


@pytest.mark.parametrize("load", [0.5, 0.8, 1.5])
def test_of_an_m_m_1_k_queue_so_many_are_refused_as_the_formula_says(load: float) -> None:
    places, requests = 5, 100_000
    pod = Pod(Rules(places, deadline=math.inf, longest=math.inf), 0.0, lambda _: None)
    refused = sum(pod.offer(now, draw) is not None for now, draw in _arrivals(load, requests, 1))
    expected = (1 - load) * load**places / (1 - load ** (places + 1))
    assert refused / requests == pytest.approx(expected, rel=0.06)


def test_with_places_for_all_they_wait_as_long_as_pollaczek_and_khinchin_say(left: list[Picture]) -> None:
    load, requests = 0.7, 100_000
    pod = Pod(Rules(10_000, deadline=math.inf), 0.0, left.append)
    for now, _ in _arrivals(load, requests, 2):
        assert pod.offer(now, 1.0) is None
    pod.finish()
    assert len(left) == requests
    waits = sum(picture.begins - picture.arrived for picture in left) / requests
    assert waits == pytest.approx(load / (2 * (1 - load)), rel=0.05)


def test_pictures_are_cut_short_in_time_for_their_deadlines(left: list[Picture]) -> None:
    rules = Rules(places=9, deadline=10.0, longest=60.0)
    pod = Pod(rules, 0.0, left.append)
    pod.offer(0.0, 0.01)
    pod.advance(1.0)  # now it believes that a picture takes next to nothing
    for at in (2.0, 2.1, 2.2):
        assert pod.offer(at, 60.0) is None
    assert pod.inside(11.9) == 2
    pod.finish()
    first, second, third = left[1:]
    assert [each.ends + rules.after for each in (first, second, third)] == pytest.approx([12.0, 12.1, 12.2])
    assert all(each.cut for each in (first, second, third))


def test_a_lost_machine_takes_with_it_what_was_not_delivered(left: list[Picture]) -> None:
    pod = Pod(Rules(places=5), 0.0, left.append)
    for at in (0.0, 0.1, 0.2):
        pod.offer(at, 1.0)
    assert [picture.arrived for picture in pod.lose(1.5)] == [0.1, 0.2]
    assert [picture.arrived for picture in left] == [0.0]
    assert pod.inside(1.5) == 0
