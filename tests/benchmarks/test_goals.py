"""What is said of a goal follows from what was measured."""

from typing import Any

import pytest

from benchmarks.engine.delivered import Reached
from benchmarks.engine.device import Cost
from benchmarks.engine.gpu.evaluations import Evaluation
from benchmarks.engine.gpu.goals import GOALS, summary
from benchmarks.engine.gpu.memory import Peak
from benchmarks.engine.gpu.requests import Requests
from benchmarks.service.closed_loop import Load
from service.style.network.precision import Precision


def evaluation(
    milliseconds: float, *, host: float = 0.02, recorded: bool = False, size: int = 512
) -> Evaluation:
    seconds = milliseconds / 1000
    cost = Cost(seconds, host * seconds, 2 * seconds, 3e11, None, replayed=recorded)
    return Evaluation("bf16", size, cost, 8e14)


def requests(*seconds: float, size: int = 512, clients: int = 1, recorded: bool = False) -> Requests:
    return Requests(size, clients, recorded, Load(sorted(seconds), [] if seconds else [422], 1.0, {}))


def peak(ratio: float, precision: Precision = "bf16") -> Peak:
    return Peak(precision, 4096, 2**30, round(ratio * 2**30), 2**20)


GOOD = [
    "a line of text",
    evaluation(0.9),
    evaluation(9.0, size=1024),
    evaluation(0.7, recorded=True),
    Reached("plain", 512, False, 20.0, 1e6, 0.08, 0.9, 0.01),
    Reached("plain", 512, True, 20.0, 1e6, 0.05, 0.9, 0.01),
    Reached("boxed", 512, False, 20.0, 1e6, None, 1.2, 0.01),
    requests(0.4, 0.5, 0.6),
    requests(2.0, size=512, clients=8),
    requests(3.0, size=4096),
    peak(0.9),
    peak(1.15, "fp32"),
]


def verdicts(rows: list[Any], *, random: bool = False) -> list[str]:
    return [line.split("  ")[0] for line in summary(rows, random=random)]


def test_each_goal_has_its_line_with_what_was_found() -> None:
    lines = list(summary(GOOD, random=False))
    assert [goal.text in line for line, goal in zip(lines, GOALS, strict=True)] == [True] * 5
    assert [line.rsplit("  ", 1)[1] for line in lines] == [
        "0.700 ms as CUDA graphs",
        "0.500 s",
        "1/400 as CUDA graphs",
        "bf16 0.90 of the prediction, fp32 1.15 of the prediction, in 3.0 s",
        "2.0%",
    ]
    assert verdicts(GOOD) == ["met"] * 5


def test_nothing_measured_is_neither_met_nor_missed() -> None:
    assert verdicts(["a line of text"]) == ["not measured"] * 5


def test_losses_of_random_weights_are_no_verdict() -> None:
    assert verdicts(GOOD, random=True) == ["met", "met", "not measured", "met", "met"]


@pytest.mark.parametrize(
    ("goal", "rows"),
    [
        (0, [evaluation(1.01), evaluation(1.02, recorded=True)]),
        (1, [requests(0.6), requests(0.51, recorded=True)]),
        (1, [requests(0.4, 0.6, 0.7, 0.8)]),
        (2, [Reached("plain", 512, False, 20.0, 1e6, 0.11, 0.9, 0.01)]),
        (2, [Reached("plain", 512, False, 20.0, 1e6, None, 1.1, 0.01)]),
        (3, [requests(size=4096), peak(1.0)]),
        (3, [requests(3.0, size=4096), peak(1.0), peak(1.21)]),
        (3, [peak(0.79)]),
        (4, [evaluation(0.5, host=0.05, recorded=True)]),
    ],
)
def test_a_goal_that_is_not_reached_is_missed(goal: int, rows: list[Any]) -> None:
    assert verdicts(rows)[goal] == "MISSED"


def test_half_of_a_goal_is_said_but_is_no_verdict() -> None:
    line = list(summary([requests(3.0, size=4096)], random=False))[3]
    assert line.endswith("  in 3.0 s")
    assert line.startswith("not measured")
    assert verdicts([peak(1.1), peak(1.1, "fp32")])[3] == "not measured"
    assert verdicts([requests(3.0, size=4096), peak(1.1)])[3] == "not measured"


def test_the_host_is_only_asked_about_evaluations_that_are_replayed() -> None:
    assert verdicts([evaluation(0.5, host=0.9)])[4] == "not measured"
