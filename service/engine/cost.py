"""What a picture will cost the engine, learned from those that it has painted."""

from typing import NamedTuple

from service.style import Options, Work

FIRST_GUESS_SECONDS = 10.0
"""Assumed of a picture before anything has been measured."""

AFTER_SECONDS = 0.1
AFTER_SECONDS_PER_MEGAPIXEL = 0.2
"""Kept free before a deadline: for ending within one evaluation, and for encoding and sending, which grows."""

# Weight of the newest measurement in the moving averages.
_NEWEST = 0.2


class _Kind(NamedTuple):
    """Pictures whose seconds are in proportion to their units. There are a few hundred kinds at most."""

    budgeted: bool
    pixels: int = 0  # rounded up to powers of two, as are iterations: what an evaluation costs is not quite
    iterations: int = 0  # proportional to the pixels, nor what a request costs to its evaluations
    init: str = ""


class Costs:
    """Moving averages of seconds, by kind of picture. Callers take care of threads.

    A request with a budget costs about that, and how much of it is learned. One without costs so much for each pixel
    and evaluation. How many artworks there are, and of which size, is not looked at: it changes little.
    """

    def __init__(self) -> None:
        self._mean: float | None = None
        self._rates: dict[_Kind, float] = {_Kind(budgeted=True): 1.0}

    @property
    def mean(self) -> float:
        """Seconds of a picture about which nothing is known yet."""
        return FIRST_GUESS_SECONDS if self._mean is None else self._mean

    def expected(self, work: Work) -> float:
        """Seconds that this will keep the engine busy."""
        kind, units = _measure(work)
        rate = self._rates.get(kind)
        return min(self.mean if rate is None else rate * units, _limit(work.options))

    def learn(self, work: Work, seconds: float, *, shortened: bool = False) -> None:
        """It has taken so long.

        Args:
            work: that was done.
            seconds: the engine was busy with it.
            shortened: its deadline ended it: by itself it would have taken longer.
        """
        if shortened and seconds < self.expected(work):
            return
        self._mean = _moved(self._mean, seconds)
        kind, units = _measure(work)
        self._rates[kind] = _moved(self._rates.get(kind), seconds / units)


def pixels(work: Work) -> float:
    """Of the result."""
    height, width = work.content.shape[-2:]
    return float(work.options.size**2 * min(height, width) / max(height, width))


def after(work: Work) -> float:
    """Seconds to keep for what comes after the optimisation."""
    return AFTER_SECONDS + AFTER_SECONDS_PER_MEGAPIXEL * pixels(work) / 1e6


def _measure(work: Work) -> tuple[_Kind, float]:
    options = work.options
    if options.budget is not None and options.iterations is None:
        return _Kind(budgeted=True), _limit(options)
    area, iterations = pixels(work), options.iterations
    kind = _Kind(False, round(area).bit_length(), (iterations or 0).bit_length(), options.init)
    return kind, area * (iterations or 1)


def _limit(options: Options) -> float:
    return min(limit for limit in (options.budget, options.time_limit, float("inf")) if limit is not None)


def _moved(old: float | None, newest: float) -> float:
    return newest if old is None else old + _NEWEST * (newest - old)
