"""How much time a request has left, and what an evaluation costs: nothing is begun that would not end in time."""

from collections.abc import Callable, Mapping, Sequence

Costs = Mapping[int, float]
"""Pixels of the picture -> seconds that an evaluation of loss and gradient takes."""


class Stopwatch:
    """The time that a request may take, and the cost model by which it is spent.

    An evaluation costs something for itself and something for each pixel. What was measured when the service warmed
    up says so beforehand; what is measured while the request runs corrects it, so a limit is kept on any machine, a
    busy one too.

    Args:
        limits: seconds from now, the shortest counts; None: no limit.
        clock: seconds, monotonic.
        usual: what evaluations cost on this machine when it has nothing else to do; empty: not known.
    """

    def __init__(
        self, limits: Sequence[float | None], clock: Callable[[], float], usual: Costs | None = None
    ) -> None:
        self._clock = clock
        self._start = clock()
        self._limit = min((limit for limit in limits if limit is not None), default=None)
        self._costs: dict[int, list[float]] = {}  # pixels -> seconds of each evaluation
        self._usual = dict(usual or {})

    def seconds(self) -> float:
        """Since the start."""
        return self._clock() - self._start

    def fraction(self) -> float:
        """How much of the time is used up; 0 without a limit."""
        return 0.0 if self._limit is None else self.seconds() / self._limit

    def observe(self, pixels: int, seconds: float) -> None:
        """An evaluation of so many pixels took so long."""
        self._costs.setdefault(pixels, []).append(seconds)

    @property
    def can_extrapolate(self) -> bool:
        """Whether an estimate for a size that was not evaluated yet is more than an upper bound."""
        return len(self._costs) >= 2 or len(self._usual) >= 2

    def cost(self, pixels: int) -> float:
        """Of an evaluation of so many pixels, to be compared with that of others: seconds, or pixels if unknown."""
        return self._each(pixels) if self.can_extrapolate else float(pixels)

    def estimate(self, pixels: int, evaluations: float) -> float:
        """Seconds that so many evaluations of so many pixels will take; 0 while nothing is known."""
        return self._each(pixels) * evaluations

    def fits(self, pixels: int, evaluations: float, *, share: float = 1.0, reserve: float = 0.0) -> bool:
        """Whether these evaluations would end inside this share of the time, `reserve` seconds before its end."""
        if self._limit is None:
            return True
        ends = self.seconds() + self.estimate(pixels, evaluations)
        return ends <= min(share * self._limit, self._limit - reserve)

    def _each(self, pixels: int) -> float:
        if pixels in self._costs:
            return self._cost(pixels)
        measured = {size: self._cost(size) for size in self._costs}
        if len(self._usual) >= 2:
            largest = max((size for size in measured if not self._is_cold(size)), default=None)
            slower = 1.0 if largest is None else measured[largest] / _line(self._usual, largest)
            return slower * _line(self._usual, pixels)
        if not measured:
            return 0.0
        if len(measured) == 1 and self._is_cold(*measured):  # most of it will not come again
            return next(iter(measured.values()))
        return _line(measured, pixels)

    def _is_cold(self, pixels: int) -> bool:
        """Whether only the first evaluation of a size is known, which takes longer than the others."""
        return len(self._costs[pixels]) == 1

    def _cost(self, pixels: int) -> float:
        """Mean seconds of the latest evaluations; the first of a size, which is cold, only if it is alone."""
        costs = self._costs[pixels]
        latest = costs[1:][-3:] or costs
        return sum(latest) / len(latest)


def _line(costs: Costs, pixels: int) -> float:
    """The cost of a size, on the line through those of the two largest sizes; never less than nothing per pixel."""
    *smaller, largest = sorted(costs)
    if not smaller:
        return costs[largest] * pixels / largest
    slope = max(0.0, (costs[largest] - costs[smaller[-1]]) / (largest - smaller[-1]))
    overhead = max(0.0, costs[largest] - slope * largest)
    return overhead + (costs[largest] - overhead) / largest * pixels
