"""The benchmark of a GPU, on a CPU and at tiny sizes: that it works is known before it is run where time is dear."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import closed_loop, device
from benchmarks.gpu import PARTS, TINY, Bench, main, random_weights, run
from service.weights import load
from tests.running import Server
from tests.serving import picture


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights")
    random_weights(path / "random.pth")
    return path


@pytest.fixture(scope="module")
def bench(folder: Path) -> Iterator[Bench]:
    precision = torch.backends.cudnn.conv.fp32_precision  # type: ignore[attr-defined]
    weights = str(folder / "random.pth")
    yield Bench(TINY, load(weights, folder).network, weights, folder)
    torch.backends.cudnn.conv.fp32_precision = precision  # type: ignore[attr-defined]


@pytest.mark.parametrize("part", PARTS)
def test_every_part_runs_on_a_cpu_and_says_numbers(part: str, bench: Bench) -> None:
    lines = list(PARTS[part](bench))
    assert sum(bool(re.search(r"\d\.?\d", line)) for line in lines) >= 1
    assert not any("nan" in line or "other answers" in line for line in lines), lines


def test_a_part_that_fails_says_so_and_the_next_one_runs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: Bench) -> Iterator[str]:
        yield "one line"
        raise RuntimeError("no such kernel")

    monkeypatch.setitem(PARTS, "race", broken)
    monkeypatch.setitem(PARTS, "requests", lambda _: iter(["served"]))
    assert run(bench, ["race", "requests"], minutes=1) == ["race"]
    said = capsys.readouterr().out
    assert "  one line\n" in said
    assert "  failed: RuntimeError: no such kernel\n" in said
    assert "  served\n" in said


def test_no_part_begins_after_the_end(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(bench, ["race", "batches"], minutes=0) == ["race", "batches"]
    assert capsys.readouterr().out.count("left out") == 2


def test_the_command_prints_a_table(folder: Path) -> None:
    arguments = ["--device", "cpu", "--tiny", "--backbone", "random", "--only", "evaluations"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("CPU, ")
    assert len(re.findall(r"^  (bf16|fp32) +\d+ ", result.output, re.MULTILINE)) == 2 * len(TINY.sizes)


def test_the_operations_of_an_evaluation_are_those_that_torch_counts(bench: Bench) -> None:
    objective, x = device.problem(bench.network, 64)
    with FlopCounterMode(display=False) as counter:
        objective.loss_and_gradient(x)
    assert device.operations(objective, 64) == counter.get_total_flops()


def test_clients_count_pictures_and_other_answers_apart() -> None:
    files = {"content": picture(), "style": picture(color="orange")}
    with Server() as server:
        url = f"http://127.0.0.1:{server.port}"
        found = closed_loop.load(url, files, clients=2, seconds=60, most=3, size=64)
        wrong = closed_loop.load(url, files, clients=1, seconds=60, most=2, size=1)
    assert len(found.seconds) == 6
    assert found.others == []
    assert found.seconds == sorted(found.seconds)
    assert found.percentile(0.0) == found.seconds[0]
    assert found.percentile(1.0) == found.seconds[-1]
    assert found.rate > 0
    assert (wrong.seconds, wrong.others) == ([], [422, 422])


def test_a_service_that_is_not_there_is_an_answer_too() -> None:
    found = closed_loop.load("http://127.0.0.1:9", {}, clients=1, seconds=1, most=5)
    assert found.others == [0]
