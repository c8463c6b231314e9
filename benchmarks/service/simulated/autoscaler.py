"""What KEDA asks Prometheus, and what Kubernetes' HorizontalPodAutoscaler makes of the answer.

Of https://keda.sh/docs/latest/reference/scaledobject-spec/ and
https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/: KEDA makes an autoscaler with one external
metric of type AverageValue for each trigger. As long as there is a pod, it is that autoscaler's own period at which
Prometheus is asked: KEDA's `pollingInterval` and `cooldownPeriod` are about waking the first pod and removing the
last, which this chart never does.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

TOLERANCE = 0.1
"""Of Kubernetes (--horizontal-pod-autoscaler-tolerance): a ratio this close to 1 changes nothing."""

SYNC_SECONDS = 15.0
"""Of Kubernetes (--horizontal-pod-autoscaler-sync-period)."""


class Policy(NamedTuple):
    """How many pods may come or go in a period.

    Attributes:
        kind: Pods or Percent (of those at the period's beginning).
        value: how many of them.
        seconds: of the period.
    """

    kind: str
    value: float
    seconds: float


@dataclass(frozen=True)
class Direction:
    """How fast pods come, or go.

    Attributes:
        window: seconds of which the most cautious recommendation counts.
        policies: limits.
        select: which of them holds: Max (of change), Min or Disabled.
    """

    window: float
    policies: tuple[Policy, ...]
    select: str = "Max"

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From `behavior.scaleUp` or `behavior.scaleDown` of an autoscaler."""
        policies = tuple(Policy(p["type"], p["value"], p["periodSeconds"]) for p in values["policies"])
        return cls(values["stabilizationWindowSeconds"], policies, values.get("selectPolicy", "Max"))


@dataclass(frozen=True)
class Settings:
    """Of the chart, `autoscaling`.

    Attributes:
        in_flight: requests inside one pod that are about right.
        up, down: how fast pods come and go.
        least, most: pods.
        fallback: pods while Prometheus has no answer, and misses in a row before that.
        weigh_refused: whether refused requests count as if they were inside, for as long as a picture takes.
        shed_rate: of a trigger that the chart has no more: refused requests a second for which there is one pod.
    """

    in_flight: float
    up: Direction
    down: Direction
    least: int
    most: int
    fallback: tuple[int, int] = (2, 3)
    weigh_refused: bool = True
    shed_rate: float | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From `autoscaling` in the chart's values."""
        keda, behavior = values["keda"], values["behavior"]
        return cls(
            in_flight=values["targetInFlight"],
            up=Direction.of(behavior["scaleUp"]),
            down=Direction.of(behavior["scaleDown"]),
            least=values["minReplicas"],
            most=values["maxReplicas"],
            fallback=(keda["fallback"]["replicas"], keda["fallback"]["failureThreshold"]),
        )


class Sample(NamedTuple):
    """What Prometheus knows.

    Attributes:
        in_flight: requests inside, of all pods.
        shed: refused requests a second, over the last two minutes.
        seconds: that a picture took the engine on average, in these minutes; 0 where there was none.
    """

    in_flight: float
    shed: float = 0.0
    seconds: float = 0.0


@dataclass
class Autoscaler:
    """Says how many pods there should be."""

    settings: Settings
    _wished: deque[tuple[float, int]] = field(default_factory=deque)
    _changes: deque[tuple[float, int]] = field(default_factory=deque)
    _misses: int = 0

    def decide(self, now: float, pods: int, sample: Sample | None) -> int:
        """The number of pods from now on.

        Args:
            now: seconds.
            pods: that there are by now, started or not.
            sample: Prometheus' answer; None: it has no such series.
        """
        wished = self._stabilised(now, pods, self._wish(pods, sample))
        decided = self._limited(now, pods, min(max(wished, self.settings.least), self.settings.most))
        if decided != pods:
            self._changes.append((now, decided - pods))
        return decided

    def _wish(self, pods: int, sample: Sample | None) -> int:
        if sample is None:
            self._misses += 1
            replicas, misses = self.settings.fallback
            return max(replicas, self.settings.least) if self._misses >= misses else pods
        self._misses = 0
        # Little's law: so many of those who were refused would be with an engine now, had there been enough of them.
        refused = sample.shed * sample.seconds if self.settings.weigh_refused else 0.0
        metrics = [(sample.in_flight + refused, self.settings.in_flight)]
        if self.settings.shed_rate is not None:
            metrics.append((sample.shed, self.settings.shed_rate))
        return max(_pods_for(value, target, pods) for value, target in metrics)

    def _stabilised(self, now: float, pods: int, wish: int) -> int:
        up, down = self.settings.up.window, self.settings.down.window
        self._wished.append((now, wish))
        while self._wished[0][0] < now - max(up, down):
            self._wished.popleft()
        highest = max(each for at, each in self._wished if at >= now - down)
        lowest = min(each for at, each in self._wished if at >= now - up)
        return min(max(pods, lowest), highest)

    def _limited(self, now: float, pods: int, wish: int) -> int:
        if wish > pods:
            most = self._limit(now, pods, self.settings.up, 1)
            return max(pods, min(wish, most))
        if wish < pods:
            least = self._limit(now, pods, self.settings.down, -1)
            return min(pods, max(wish, least))
        return pods

    def _limit(self, now: float, pods: int, direction: Direction, sign: int) -> int:
        if direction.select == "Disabled":
            return pods
        limits = []
        for policy in direction.policies:
            before = pods - sum(change for at, change in self._changes if at > now - policy.seconds)
            if policy.kind == "Pods":
                limits.append(before + sign * int(policy.value))
            else:
                exact = before * (1 + sign * policy.value / 100)
                limits.append(math.ceil(exact) if sign > 0 else int(exact))
        return max(limits) if (sign > 0) == (direction.select == "Max") else min(limits)


def _pods_for(value: float, target: float, pods: int) -> int:
    if pods > 0 and abs(value / (target * pods) - 1) <= TOLERANCE:
        return pods
    return math.ceil(value / target)
