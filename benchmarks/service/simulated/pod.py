"""One pod: a bounded queue before an engine that paints one picture at a time."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from service.engine.admission import LEAST_SHARE
from service.engine.cost import AFTER_SECONDS, AFTER_SECONDS_PER_MEGAPIXEL, FIRST_GUESS_SECONDS

NEWEST_SHARE = 0.2
"""Weight of the newest picture in what the service expects of the next: service/engine/cost.py."""

_LEAST_SECONDS = 1e-3  # of a picture whose deadline leaves it none: service/engine/jobs.py


class Refusal(StrEnum):
    """Why a request is not let in."""

    QUEUE_FULL = "queue full"
    DEADLINE = "deadline"


@dataclass(frozen=True)
class Rules:
    """Settings of the service.

    Attributes:
        places: requests that may be inside: the running one and those that wait.
        deadline: seconds from request to answer, of every request; infinite for none. As it is the same for all, and
            those before are done by theirs, it never passes before a picture is begun.
        longest: seconds that any picture may take (STYLIZE_MAX_BUDGET).
        megapixels: of the results.
    """

    places: int = 5
    deadline: float = 120.0
    longest: float = 60.0
    megapixels: float = 0.2

    @property
    def after(self) -> float:
        """Seconds that the service keeps free between a picture and its deadline."""
        return AFTER_SECONDS + AFTER_SECONDS_PER_MEGAPIXEL * self.megapixels


class Picture(NamedTuple):
    """A request that was let in; times in seconds on the simulation's clock.

    Attributes:
        arrived, begins, ends: when.
        expected: seconds that the service expected of it.
        cut: its deadline ended it.
    """

    arrived: float
    begins: float
    ends: float
    expected: float
    cut: bool


class Pod:
    """Decides as service/engine/admission.py and service/engine/queue.py do, without their threads.

    They can be driven by an injected clock, but are made for threads: their locks, events and records take eleven
    times as long for each request (18 µs), and there are millions. tests/benchmarks/test_pod.py drives them so and
    holds every decision of this against theirs. As an engine serves in the order of arrival, the end of a picture is
    known when it is let in, so that nothing happens between two requests.

    Args:
        rules: of the service.
        born: when it was asked for: from then on it costs.
        left: called with each picture that is delivered.
    """

    __slots__ = ("_expects", "_free", "_inside", "_left", "_rules", "born")

    def __init__(self, rules: Rules, born: float, left: Callable[[Picture], object]) -> None:
        self.born = born
        self._rules = rules
        self._left = left
        self._inside: list[Picture] = []
        self._free = -math.inf  # when the engine will have nothing to do
        self._expects: float | None = None

    def offer(self, now: float, seconds: float) -> Refusal | None:
        """A request comes whose picture would take so long.

        Args:
            now: never less than in the call before.
            seconds: that the engine would need if nothing limited it.

        Returns:
            Why it is refused; None: it is let in.
        """
        self.advance(now)
        rules, inside = self._rules, self._inside
        if len(inside) >= rules.places:
            return Refusal.QUEUE_FULL
        ahead = 0.0
        for each in inside:
            ahead += each.expected if each.begins > now else max(0.0, each.expected - (now - each.begins))
        expected = self._expected()
        least = min(expected + rules.after, LEAST_SHARE * rules.deadline)
        if ahead > rules.deadline or (ahead > 0 and ahead + least > rules.deadline):
            return Refusal.DEADLINE
        begins, due = max(now, self._free), now + rules.deadline
        limit = max(_LEAST_SECONDS, due - begins - rules.after)
        takes = min(seconds, rules.longest, limit)
        self._free = begins + takes
        cut = limit < min(seconds, rules.longest)
        inside.append(Picture(now, begins, self._free, min(expected, rules.deadline), cut))
        return None

    def advance(self, now: float) -> None:
        """Let out all who are done by now, and learn from their pictures."""
        inside = self._inside
        while inside and inside[0].ends <= now:
            self._let_out(inside.pop(0))

    def inside(self, now: float) -> int:
        """Requests, running and waiting."""
        self.advance(now)
        return len(self._inside)

    def lose(self, now: float) -> list[Picture]:
        """The machine is gone, and these with it."""
        self.advance(now)
        lost, self._inside = self._inside, []
        return lost

    def finish(self) -> float:
        """Let nobody in any more; when the last picture will be done (minus infinity where there never was one)."""
        self.advance(math.inf)
        return self._free

    def _let_out(self, picture: Picture) -> None:
        seconds = picture.ends - picture.begins
        if (
            not picture.cut or seconds >= self._expected()
        ):  # else all that is known is that it would have taken longer
            old = seconds if self._expects is None else self._expects
            self._expects = old + NEWEST_SHARE * (seconds - old)
        self._left(picture)

    def _expected(self) -> float:
        return min(FIRST_GUESS_SECONDS if self._expects is None else self._expects, self._rules.longest)
