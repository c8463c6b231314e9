"""The benchmark of a GPU, on a CPU and at tiny sizes: that it works is known before it is run where time is dear."""

import copy
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.engine import delivered, device
from benchmarks.engine.gpu.__main__ import main
from benchmarks.engine.gpu.bench import TINY, Bench
from benchmarks.engine.gpu.evaluations import Evaluation
from benchmarks.engine.gpu.goals import GOALS
from benchmarks.engine.gpu.memory import Peak
from benchmarks.engine.gpu.parts import PARTS, run
from benchmarks.engine.gpu.requests import WARM, Painting, Requests, Stages
from benchmarks.engine.methods import white_noise
from benchmarks.service import closed_loop
from devtools.gpu import GPU, in_place_of_cuda
from devtools.weights import random_weights
from service.model.painting import PaintingModel
from service.style import resample
from service.style.network.padding import ZERO
from service.style.optimiser.graphs import Graphs, Recorded
from service.style.options import Options
from tests.style.conftest import thin_network


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights")
    random_weights(path / "random.pth")
    return path


@pytest.fixture(scope="module")
def bench(folder: Path) -> Iterator[Bench]:
    precision = torch.backends.cudnn.conv.fp32_precision  # type: ignore[attr-defined]
    # The service that a part starts loads the whole network; what is measured here is quicker with a thin one.
    yield Bench(TINY, thin_network(), str(folder / "random.pth"), folder, random=True)
    torch.backends.cudnn.conv.fp32_precision = precision  # type: ignore[attr-defined]


def rows_of(part: str, bench: Bench) -> list[Any]:
    """All that a part yields but lines of text; no line says that something is not a number, or out of memory."""
    rows = list(PARTS[part](bench))
    assert not any(re.search(r"\bnan\b|out of memory", str(row)) for row in rows), list(map(str, rows))
    return [row for row in rows if not isinstance(row, str)]


def test_an_evaluation_of_each_size_is_timed_in_each_precision(bench: Bench) -> None:
    rows = rows_of("evaluations", bench)
    assert [type(row) for row in rows] == [Evaluation] * 4
    assert [(row.precision, row.size) for row in rows] == [
        ("bf16", 32),
        ("bf16", 64),
        ("fp32", 32),
        ("fp32", 64),
    ]
    assert not any(row.recorded for row in rows)
    for row in rows:
        assert min(row.cost.seconds, row.cost.launch, row.cost.step, row.ceiling) > 0
        assert row.cost.peak is None, "nobody counts the bytes on a CPU"


def test_the_memory_of_each_size_is_predicted_in_each_precision(bench: Bench) -> None:
    rows = rows_of("memory", bench)
    assert [type(row) for row in rows] == [Peak] * 4
    assert [(row.precision, row.size) for row in rows] == [
        ("bf16", 32),
        ("bf16", 48),
        ("fp32", 32),
        ("fp32", 48),
    ]
    assert all(row.predicted > 0 for row in rows)
    assert {(row.taken, row.scratch, row.within) for row in rows} == {(None, None, False)}, (
        "nobody counts them"
    )


@pytest.fixture
def on_gpu(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """One that is not there."""
    gpu = GPU()
    monkeypatch.setattr(device, "GROUPS", 1)
    in_place_of_cuda(monkeypatch, gpu)
    with gpu.mode():
        network = copy.deepcopy(bench.network).to("cuda")
        yield replace(bench, scope=TINY._replace(sizes=(32,), peaks=(64,)), network=network)


@pytest.mark.slow
def test_on_a_gpu_evaluations_are_replayed_too_and_their_memory_is_counted(on_gpu: Bench) -> None:
    rows = rows_of("evaluations", on_gpu)
    assert [(row.precision, row.size, row.recorded) for row in rows] == [
        ("bf16", 32, False),
        ("tf32", 32, False),
        ("fp32", 32, False),
        ("bf16", 32, True),
    ]
    assert [row.cost.peak is None for row in rows] == [False, False, False, True], "a recording has its own"
    peaks = rows_of("memory", on_gpu)
    assert [(row.precision, row.size) for row in peaks] == [("bf16", 64), ("fp32", 64)]
    assert all(0 < row.taken < row.predicted for row in peaks), "most of which is for cuDNN at this size"


@pytest.mark.slow
def test_the_race_is_against_plain_gatys_and_its_twin(bench: Bench) -> None:
    rows = rows_of("race", bench)
    assert [type(row) for row in rows] == [delivered.Reached] * 2
    assert [(row.method, row.size, row.recorded) for row in rows] == [
        ("plain", 48, False),
        ("boxed", 48, False),
    ]
    for row, slack in zip(rows, (1.0, 1.05), strict=True):
        assert min(row.seconds, row.loss, row.preparation) > 0
        assert 0 < row.ratio < math.inf
        assert (row.ours is not None) == (row.ratio <= slack)


@pytest.mark.slow
def test_each_precision_is_compared_with_float32(bench: Bench) -> None:
    rows = rows_of("precisions", bench)
    assert [type(row) for row in rows] == [delivered.Loss] * 2
    assert [(row.name, row.reference) for row in rows] == [
        ("fp32", "fp32"),
        ("bf16", "fp32"),
    ]
    assert [len(row.ratios) for row in rows] == [TINY.pairs * TINY.seeds] * 2
    assert set(rows[0].ratios) == {1.0}
    assert all(0.5 < ratio < 2 for row in rows for ratio in row.ratios)


def test_pictures_are_resized_before_they_are_painted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    lanczos, paint = resample.lanczos, PaintingModel.paint

    def resizing(*arguments: Any) -> Any:
        said.append("resizing")
        return lanczos(*arguments)

    def painting(*arguments: Any) -> Any:
        said.append("painting")
        return paint(*arguments)

    model, pair = delivered.model_of(bench.network), bench.pairs()[0]
    monkeypatch.setattr(resample, "lanczos", resizing)
    monkeypatch.setattr(PaintingModel, "paint", painting)
    painted = delivered.paint(model, pair, Options(size=96, iterations=4))
    assert said == ["resizing"] * 4 + ["painting"], "two scales of the photograph, and two of the artwork"
    assert painted.preparation > 0
    assert list(painted.steps) == [64, 96]


def test_pictures_are_kept_as_the_service_keeps_them(bench: Bench) -> None:
    for _, *pictures in bench.pairs():
        assert [max(picture.shape) for picture in pictures] == [451, resample.KEPT], "the artwork was larger"
        assert {picture.device.type for picture in pictures} == {"cpu"}


def test_noise_is_where_the_network_is_and_not_where_the_pictures_are(bench: Bench) -> None:
    elsewhere = torch.device("meta")
    assert white_noise(bench.pairs()[0], Options(size=TINY.size), elsewhere).device == elsewhere


@pytest.mark.slow
def test_what_is_warmed_up_records_no_more_with_a_budget_or_without(bench: Bench) -> None:
    graphs = Graphs(2**30, lambda function: Recorded(function, 0))
    model = replace(delivered.model_of(bench.network), graphs=graphs)
    pair, options = bench.pairs()[0], Options(size=TINY.size)
    delivered.warm_up(model, pair, options)
    assert len(graphs) == 2, "one scale, with the default's history and with that of a budget"
    for budget in (None, 1e-3, 0.5):
        delivered.paint(model, pair, replace(options, budget=budget))
        assert len(graphs) == 2


def test_without_what_a_service_needs_it_is_said_before_one_is_started(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "benchmarks.engine.gpu.requests.find_spec", lambda name: None if name == "flask" else name
    )
    rows = PARTS["requests"](bench)
    assert isinstance(next(rows), Painting)
    with pytest.raises(
        RuntimeError, match=r"^no service starts without flask: install what pyproject.toml names$"
    ):
        next(rows)


@pytest.mark.slow
def test_requests_of_every_kind_are_answered_and_divided_into_stages(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[tuple[object, int]] = []
    load = closed_loop.load

    def noting(url: str, files: Mapping[str, bytes], **how: Any) -> closed_loop.Load:
        found = load(url, files, **how)
        answers.append((how["size"], len(found.seconds)))
        return found

    monkeypatch.setattr(closed_loop, "load", noting)
    rows = rows_of("requests", bench)
    one_client = [(48, WARM), (48, 1)]
    assert answers == [*one_client, (64, 1), (48, 2), *one_client]
    assert WARM == 3, "the first of a shape is noted, the second recorded, the third replayed"
    assert [type(row) for row in rows] == [Painting, Requests, Stages, Requests, Requests, Requests, Stages]
    served = [row for row in rows if isinstance(row, Requests)]
    assert {(row.size, row.clients) for row in served} == {(48, 1), (64, 1), (48, 2)}
    assert {row.recorded for row in served} == {False, True}
    assert [row.load.others for row in served] == [[]] * len(served)
    stages = [row for row in rows if isinstance(row, Stages)]
    assert [set(row.seconds) for row in stages] == [{"queue", "decode", "optimise", "encode", "rest"}] * 2
    assert all(seconds >= 0 for row in stages for seconds in row.seconds.values())


def test_the_time_of_a_painting_is_divided_into_evaluations_of_each_scale_and_the_rest(bench: Bench) -> None:
    line = str(next(PARTS["requests"](bench)))
    assert re.fullmatch(
        r"painted in [\d.]+ s: 48 px 30 x [\d.]+ ms; not evaluations: -?[\d.]+ ms, -?\d+%; "
        r"prepared before in [\d.]+ ms",
        line,
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
    assert run(bench, ["race", "memory"], minutes=0) == ([], ["race", "memory"])
    assert capsys.readouterr().out.count("left out: 0 minutes are over") == 2


def test_a_part_that_takes_too_long_keeps_what_it_had_found(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 50))  # seconds
    monkeypatch.setattr("benchmarks.engine.gpu.parts.time.monotonic", lambda: next(clock))
    rows, missing = run(bench, ["long"], 2, {"long": lambda _: iter(["first", "second", "third"])})
    assert (rows, missing) == (["first", "second"], ["long"])
    assert "cut short: 2 minutes are over" in capsys.readouterr().out


@pytest.mark.slow  # it goes through all parts, which have tests of their own
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
    # With zeros around it, as the paper's: what stands beyond a border is no operation of the method.
    objective, x = device.objective_of(bench.network.with_padding(ZERO), 64)
    with FlopCounterMode(display=False) as counter:
        objective.loss_and_gradient(x)
    assert device.operations(objective, 64) == counter.get_total_flops()
