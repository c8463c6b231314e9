"""Pods that come, go and are lost, under requests that arrive at random."""

import heapq
import itertools
import math
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.service.simulated.autoscaler import SYNC_SECONDS, Autoscaler, Sample, Settings
from benchmarks.service.simulated.pod import Picture, Pod, Refusal, Rules

RATE_WINDOW_SECONDS = 120.0
"""Of `rate(...[2m])` in the chart's query."""

_STEP_SECONDS = 15.0  # in which the rate of requests stays the same

Balance = Literal["random", "two"]
"""Which pod a request goes to: any, as a Service does it, or the emptier of any two (Envoy's LEAST_REQUEST)."""


@dataclass(frozen=True)
class Scenario:
    """What happens to the fleet. Times in seconds.

    Attributes:
        rate: of requests a second at a time of the clock; the counted ones arrive from 0 to `seconds`.
        seconds: how long that is.
        warm_up: before it, uncounted.
        service: seconds that pictures take, or one of which each picture draws its own.
        spread: of a single one, standard deviation by mean (log-normal).
        settings: of the autoscaler.
        rules: of the service.
        pods: at the beginning of the warm-up.
        cold_start: from the order of a pod to its readiness, ±20 %.
        spot_loss: of 1, the part of machines that are taken away in an hour, without a warning.
        leave: from leaving the Service to SIGTERM (`preStopSeconds`); the pod costs as long.
        scrape: between two looks of Prometheus.
        balance: which pod a request goes to.
    """

    rate: Callable[[float], float]
    seconds: float
    service: NDArray[np.float64]
    settings: Settings
    pods: int
    warm_up: float = 600.0
    spread: float = 0.1
    rules: Rules = field(default_factory=Rules)
    cold_start: float = 180.0
    spot_loss: float = 0.05
    leave: float = 10.0
    scrape: float = 15.0
    balance: Balance = "random"


@dataclass
class Report:
    """What became of the requests that arrived in the counted time: `arrived` is the sum of all the others.

    Attributes:
        arrived, served: requests.
        refused: by reason.
        unreachable: came while no pod was ready.
        lost: were inside when a machine was taken away.
        latencies: seconds from arrival to delivery.
        busy_seconds: of the engines, for those delivered.
        pod_seconds: from the order of a pod to its end, in the counted time.
        pods: ordered ones, at each look of Prometheus.
        in_flight: at each look of Prometheus.
    """

    arrived: int = 0
    served: int = 0
    refused: Counter[Refusal] = field(default_factory=Counter)
    unreachable: int = 0
    lost: int = 0
    latencies: "array[float]" = field(default_factory=lambda: array("d"))
    busy_seconds: float = 0.0
    pod_seconds: float = 0.0
    pods: list[int] = field(default_factory=list)
    in_flight: list[int] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """Seconds, of the latencies; not a number where nothing was served."""
        return float(np.quantile(np.asarray(self.latencies), share)) if self.latencies else math.nan

    @property
    def refused_share(self) -> float:
        """Of the requests, those that got a refusal of any kind."""
        return (self.refused.total() + self.unreachable) / max(1, self.arrived)

    def add(self, other: "Report") -> None:
        """Make this the report of both."""
        for name in ("arrived", "served", "unreachable", "lost", "busy_seconds", "pod_seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.refused += other.refused
        self.latencies.extend(other.latencies)
        self.pods += other.pods
        self.in_flight += other.in_flight


def simulate(scenario: Scenario, seed: int) -> Report:
    """Let it happen. The same scenario and seed give the same report."""
    fleet = _Fleet(scenario, np.random.default_rng(seed))
    fleet.run()
    return fleet.report


class _Fleet:
    """Everything that changes."""

    def __init__(self, scenario: Scenario, random: np.random.Generator) -> None:
        self.report = Report()
        self._scenario = scenario
        self._random = random
        self._autoscaler = Autoscaler(scenario.settings)
        self._ready: list[Pod] = []
        self._starting: list[Pod] = []
        self._events: list[tuple[float, int, Callable[[float], object]]] = []
        self._numbers = itertools.count()
        # Counters at Prometheus, and what they were at each look.
        self._refused, self._painted, self._painting = 0, 0, 0.0
        self._seen: deque[tuple[float, int, int, float]] = deque()
        self._sample: Sample | None = None

    def run(self) -> None:
        begin, end = -self._scenario.warm_up, self._scenario.seconds
        for _ in range(self._scenario.pods):
            self._start(begin, cold=False)
        self._at(begin, self._look)
        self._at(begin + SYNC_SECONDS / 2, self._scale)
        events, report, anywhere = self._events, self.report, self._scenario.balance == "random"
        for now, seconds, draw in self._requests(begin, end):
            while events[0][0] <= now:
                at, _, happen = heapq.heappop(events)
                happen(at)
            counted = now >= 0
            report.arrived += counted
            ready = self._ready
            if not ready:
                report.unreachable += counted
                continue
            pod = ready[int(draw * len(ready))] if anywhere else self._emptier(now, draw)
            refusal = pod.offer(now, seconds)
            if refusal is not None:
                self._refused += 1
                if counted:
                    report.refused[refusal] += 1
        while events[0][0] <= end:
            at, _, happen = heapq.heappop(events)
            happen(at)
        for pod in [*self._ready, *self._starting]:
            pod.finish()
            self._pay(pod, end)

    def _requests(self, begin: float, end: float) -> Iterator[tuple[float, float, float]]:
        """Arrivals of a Poisson process: (when, seconds of the picture, a number in [0, 1))."""
        at = begin
        while at < end:
            step = min(_STEP_SECONDS, end - at)
            count = int(self._random.poisson(self._scenario.rate(at + step / 2) * step))
            times = np.sort(self._random.uniform(at, at + step, count))
            draws = self._random.random(count)
            yield from zip(times.tolist(), self._services(count).tolist(), draws.tolist(), strict=True)
            at += step

    def _services(self, count: int) -> NDArray[np.float64]:
        measured, spread = self._scenario.service, self._scenario.spread
        if len(measured) > 1:
            return self._random.choice(measured, count)
        if spread == 0:
            return np.repeat(measured, count)
        variance = math.log1p(spread**2)  # of the logarithm, so that the mean stays what it is
        return self._random.lognormal(math.log(measured[0]) - variance / 2, math.sqrt(variance), count)

    def _emptier(self, now: float, draw: float) -> Pod:
        first, second = divmod(int(draw * len(self._ready) ** 2), len(self._ready))
        one, other = self._ready[first], self._ready[second]
        return one if one.inside(now) <= other.inside(now) else other

    def _left(self, picture: Picture) -> None:
        seconds = picture.ends - picture.begins
        self._painted += 1
        self._painting += seconds
        if picture.arrived >= 0:
            self.report.served += 1
            self.report.busy_seconds += seconds
            self.report.latencies.append(picture.ends - picture.arrived)

    # What happens at its time.

    def _at(self, when: float, happen: Callable[[float], object]) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), happen))

    def _look(self, now: float) -> None:
        """Prometheus scrapes all pods that run."""
        self._at(now + self._scenario.scrape, self._look)
        inside = sum(pod.inside(now) for pod in self._ready)
        if now >= 0:
            self.report.pods.append(len(self._ready) + len(self._starting))
            self.report.in_flight.append(inside)
        self._seen.append((now, self._refused, self._painted, self._painting))
        while self._seen[0][0] < now - RATE_WINDOW_SECONDS:
            self._seen.popleft()
        since, refused, painted, painting = self._seen[0]
        self._sample = None
        if self._ready:
            shed = (self._refused - refused) / (now - since) if now > since else 0.0
            seconds = (self._painting - painting) / max(1, self._painted - painted)
            self._sample = Sample(inside, shed, seconds)

    def _scale(self, now: float) -> None:
        """The autoscaler's turn."""
        self._at(now + SYNC_SECONDS, self._scale)
        pods = len(self._ready) + len(self._starting)
        wanted = self._autoscaler.decide(now, pods, self._sample)
        for _ in range(wanted - pods):
            self._start(now)
        for _ in range(pods - wanted):
            self._end(now)

    def _start(self, now: float, cold: bool = True) -> None:
        pod = Pod(self._scenario.rules, now, self._left)
        self._starting.append(pod)
        if cold:
            self._at(
                now + self._scenario.cold_start * self._random.uniform(0.8, 1.2), lambda _: self._serve(pod)
            )
        else:
            self._serve(pod)
        if self._scenario.spot_loss:
            mean = -3600 / math.log1p(-self._scenario.spot_loss)
            self._at(now + self._random.exponential(mean), lambda at: self._lose(at, pod))

    def _serve(self, pod: Pod) -> None:
        if pod in self._starting:
            self._starting.remove(pod)
            self._ready.append(pod)

    def _end(self, now: float) -> None:
        """One fewer: of those that start the newest, else of those that serve; it finishes what it has."""
        if self._starting:
            self._pay(self._starting.pop(), now)
        else:
            pod = self._ready.pop()
            self._pay(pod, max(now + self._scenario.leave, pod.finish()))

    def _lose(self, now: float, pod: Pod) -> None:
        """A machine is taken away; the Deployment asks for another at once."""
        for pods in (self._ready, self._starting):
            if pod in pods:
                pods.remove(pod)
                self.report.lost += sum(picture.arrived >= 0 for picture in pod.lose(now))
                self._pay(pod, now)
                self._start(now)

    def _pay(self, pod: Pod, until: float) -> None:
        self.report.pod_seconds += max(0.0, min(until, self._scenario.seconds) - max(pod.born, 0.0))
