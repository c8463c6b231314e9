"""The goals, and what the rows of all parts say about them."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from benchmarks.engine.delivered import Reached
from benchmarks.engine.gpu.evaluations import Evaluation
from benchmarks.engine.gpu.memory import PRECISIONS, Peak
from benchmarks.engine.gpu.requests import Requests

SIZE = 512
"""Of which most goals are, px."""

LARGE = 4096

EVALUATION_SECONDS = 1e-3
REQUEST_SECONDS = 0.5
PART_OF_PLAIN = 1 / 200
HOST = 0.05

Rows = Sequence[object]
Row = TypeVar("Row")


class Verdict(NamedTuple):
    """What was found of a goal, and whether it is met; None: not measured."""

    found: str
    met: bool | None

    def __str__(self) -> str:
        return {True: "met", False: "MISSED", None: "not measured"}[self.met]


UNKNOWN = Verdict("-", None)


def evaluation(rows: Rows) -> Verdict:
    """The faster of the two ways to evaluate."""
    best = min(_evaluations(rows), key=lambda row: row.cost.seconds, default=None)
    if best is None:
        return UNKNOWN
    found = f"{best.cost.seconds * 1e3:.3f} ms{_how(best.recorded)}"
    return Verdict(found, best.cost.seconds <= EVALUATION_SECONDS)


def request(rows: Rows) -> Verdict:
    """The faster of the two ways to serve, one client at a time."""
    found = [row for row in _all(rows, Requests) if (row.size, row.clients) == (SIZE, 1) and row.load.seconds]
    best = min(found, key=lambda row: row.load.percentile(0.5), default=None)
    if best is None:
        return UNKNOWN
    seconds = best.load.percentile(0.5)
    return Verdict(f"{seconds:.3f} s{_how(best.recorded)}", seconds <= REQUEST_SECONDS)


def plain(rows: Rows) -> Verdict:
    """Time to its delivered loss, the faster of the two ways to paint."""
    races = [row for row in _all(rows, Reached) if (row.method, row.size) == ("plain", SIZE)]
    if not races:
        return UNKNOWN
    reached = [(row.ours / row.seconds, row.recorded) for row in races if row.ours is not None]
    if not reached:
        return Verdict("not reached", False)
    part, recorded = min(reached)
    return Verdict(f"1/{1 / part:.0f}{_how(recorded)}", part <= PART_OF_PLAIN)


def large(rows: Rows) -> Verdict:
    """The answer, and the memory in each precision; where a part is unknown, the rest is said, without a verdict."""
    answer = next((row.load for row in _all(rows, Requests) if row.size == LARGE), None)
    peaks = [row for row in _all(rows, Peak) if row.size == LARGE and row.ratio is not None]
    if answer is None and not peaks:
        return UNKNOWN
    found = [f"{row.precision} {row.ratio:.2f} of the prediction" for row in peaks]
    if answer is not None:
        found.append(f"in {answer.seconds[0]:.1f} s" if answer.seconds else f"status {answer.others}")
    failed = (answer is not None and not answer.seconds) or not all(row.within for row in peaks)
    known = answer is not None and {row.precision for row in peaks} == set(PRECISIONS)
    return Verdict(", ".join(found), False if failed else True if known else None)


def host(rows: Rows) -> Verdict:
    """Of evaluations that are replayed."""
    found = next((row for row in _evaluations(rows) if row.recorded), None)
    return UNKNOWN if found is None else Verdict(f"{found.host:.1%}", found.host < HOST)


class Goal(NamedTuple):
    """One of them.

    Attributes:
        text: what is wanted.
        judge: what the rows say.
        of_losses: whether it depends on losses, which those of random weights say nothing about.
    """

    text: str
    judge: Callable[[Rows], Verdict]
    of_losses: bool = False


GOALS = (
    Goal(f"an evaluation at {SIZE} px in bf16: at most 1 ms", evaluation),
    Goal(f"a whole request at {SIZE} px, p50: at most 0.5 s", request),
    Goal(f"plain Gatys' loss at {SIZE} px: in at most 1/200 of its time", plain, of_losses=True),
    Goal(f"{LARGE} px: answered, and the memory within 20 % of the prediction", large),
    Goal(f"the host's part of a replayed evaluation at {SIZE} px: below 5 %", host),
)


def summary(rows: Rows, *, random: bool) -> Iterator[str]:
    """A table: verdict, goal, what was found.

    Args:
        rows: of all parts.
        random: whether the weights are.
    """
    for goal in GOALS:
        verdict = goal.judge(rows)
        if random and goal.of_losses:
            verdict = Verdict("random weights", None)
        yield f"{verdict!s:12}  {goal.text:66}  {verdict.found}"


def _all(rows: Rows, kind: type[Row]) -> Iterator[Row]:
    return (row for row in rows if isinstance(row, kind))


def _evaluations(rows: Rows) -> list[Evaluation]:
    return [row for row in _all(rows, Evaluation) if (row.precision, row.size) == ("bf16", SIZE)]


def _how(recorded: bool) -> str:
    return " as CUDA graphs" if recorded else ""
