"""The benchmark of a GPU, on a CPU and at tiny sizes: that it works is known before it is run where time is dear."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import device
from benchmarks.gpu.__main__ import main
from benchmarks.gpu.bench import TINY, Bench, random_weights
from benchmarks.gpu.goals import GOALS
from benchmarks.gpu.parts import PARTS, run
from benchmarks.gpu.requests import Requests, Stages
from service.weights import load


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights")
    random_weights(path / "random.pth")
    return path


@pytest.fixture(scope="module")
def bench(folder: Path) -> Iterator[Bench]:
    precision = torch.backends.cudnn.conv.fp32_precision  # type: ignore[attr-defined]
    weights = str(folder / "random.pth")
    yield Bench(TINY, load(weights, folder).network, weights, folder, random=True)
    torch.backends.cudnn.conv.fp32_precision = precision  # type: ignore[attr-defined]


@pytest.mark.parametrize("part", [name for name in PARTS if name != "requests"])
def test_every_part_runs_on_a_cpu_and_says_numbers(part: str, bench: Bench) -> None:
    lines = [str(row) for row in PARTS[part](bench)]
    assert sum(bool(re.search(r"\d\.?\d", line)) for line in lines) >= 1
    assert not any("nan" in line for line in lines), lines


def test_requests_of_every_kind_are_answered_and_divided_into_stages(bench: Bench) -> None:
    rows = list(PARTS["requests"](bench))
    served = [row for row in rows if isinstance(row, Requests)]
    assert {(row.size, row.clients) for row in served} == {(48, 1), (64, 1), (96, 1), (48, 2)}
    assert {row.recorded for row in served} == {False, True}
    assert [row.load.others for row in served] == [[]] * len(served)
    stages = [row for row in rows if isinstance(row, Stages)]
    assert [set(row.seconds) for row in stages] == [{"queue", "decode", "optimise", "encode", "rest"}] * 2
    assert all(seconds >= 0 for row in stages for seconds in row.seconds.values())


def test_the_time_of_a_painting_is_divided_into_evaluations_of_each_scale_and_the_rest(bench: Bench) -> None:
    line = str(next(PARTS["requests"](bench)))
    assert re.fullmatch(
        r"painted in [\d.]+ s: 48 px 30 x [\d.]+ ms; not evaluations: -?[\d.]+ ms, -?\d+%", line
    )


def test_a_part_that_fails_says_so_and_the_next_one_runs(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: Bench) -> Iterator[object]:
        yield "one line"
        raise RuntimeError("no such kernel")

    parts = {"broken": broken, "whole": lambda _: iter([42])}
    assert run(bench, ["broken", "whole"], 1, parts) == (["one line", 42], ["broken"])
    said = capsys.readouterr().out
    assert "  one line\n" in said
    assert "  failed: RuntimeError: no such kernel\n" in said
    assert "  42\n" in said


def test_no_part_begins_after_the_end(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(bench, ["race", "batches"], minutes=0) == ([], ["race", "batches"])
    assert capsys.readouterr().out.count("left out: 0 minutes are over") == 2


def test_a_part_that_takes_too_long_keeps_what_it_had_found(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 50))  # seconds
    monkeypatch.setattr("benchmarks.gpu.parts.time.monotonic", lambda: next(clock))
    rows, missing = run(bench, ["long"], 2, {"long": lambda _: iter(["first", "second", "third"])})
    assert (rows, missing) == (["first", "second"], ["long"])
    assert "cut short: 2 minutes are over" in capsys.readouterr().out


def test_the_command_prints_tables_and_the_goals(folder: Path) -> None:
    arguments = ["--device", "cpu", "--tiny", "--backbone", "random"]
    arguments += ["--only", "evaluations", "--only", "memory"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("CPU, ")
    measured = re.findall(r"^  (bf16|fp32) +\d+ ", result.output, re.MULTILINE)
    assert len(measured) == 2 * len(TINY.sizes) + 2 * len(TINY.peaks)
    assert re.search(r"^  largest size in .*: bf16 \d+, fp32 \d+ px$", result.output, re.MULTILINE)
    goals = result.output[result.output.index("\ngoals\n") :].splitlines()[2:]
    assert [goal.text in line for line, goal in zip(goals, GOALS, strict=True)] == [True] * 5
    assert all(line.startswith("  not measured") for line in goals)  # none is of sizes as small as that


def test_the_operations_of_an_evaluation_are_those_that_torch_counts(bench: Bench) -> None:
    objective, x = device.problem(bench.network, 64)
    with FlopCounterMode(display=False) as counter:
        objective.loss_and_gradient(x)
    assert device.operations(objective, 64) == counter.get_total_flops()
