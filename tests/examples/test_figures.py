"""`figures` against a running service with a model that paints nothing, and what it refuses before it asks."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from devtools.running import Server, free_ports
from devtools.serving import picture
from examples.figures.command import figures_command
from examples.figures.recipes import LAYERS, RATIOS


@pytest.fixture(scope="module")
def server() -> Generator[Server, None, None]:
    with Server() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, color in (("photos/a.png", "teal"), ("styles/b.png", "red"), ("styles/c.jpg", "blue")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(picture(64, 48, color))
    return tmp_path


def figures(folder: Path, *arguments: object) -> Result:
    given = ["--from", folder, "--out", folder / "out", *arguments]
    return CliRunner().invoke(figures_command, [str(each) for each in given])


def test_every_figure_is_a_sheet_and_every_panel_a_line_of_the_table(server: Server, folder: Path) -> None:
    result = figures(folder, "--url", f"http://127.0.0.1:{server.port}", "--size", 48, "--iterations", 3)
    assert result.exit_code == 0, result.output
    for number in (1, 2, 3):
        with Image.open(folder / "out" / f"figure{number}.png") as sheet:
            assert sheet.width > 3 * 48
    table = json.loads((folder / "out" / "table.json").read_text())
    expected = {"figure1": 2 * len(LAYERS), "figure2": 2, "figure3": len(LAYERS) * len(RATIOS)}
    assert {name: sum(line["figure"] == name for line in table) for name in expected} == expected
    assert all(line["evaluations"] == 3 for line in table)
    assert [line["error"] is not None for line in table[:10]] == [False] * 5 + [True] * 5
    text = (folder / "out" / "table.md").read_text()
    assert text in result.output
    assert text.count("\n| figure") == len(table)
    assert "NO   the error of the reconstruction grows with depth: 0.0, 0.0, 0.0, 0.0, 0.0 of 255" in text


def test_one_figure_of_chosen_pictures(server: Server, folder: Path) -> None:
    arguments = ["--url", f"http://127.0.0.1:{server.port}/", "--figure", 3, "--style", "c", "--size", 48]
    result = figures(folder, *arguments)
    assert result.exit_code == 0, result.output
    assert {path.name for path in (folder / "out").iterdir()} == {"figure3.png", "table.md", "table.json"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--photo", "aa"], 'photos: "aa" is not a known picture there: did you mean a?'),
        (["--from", "FOLDER/photos"], "has no pictures: put at least one there (.avif, .jpeg, "),
        (["--url", "http://127.0.0.1:PORT"], "start one with `python -m service serve`."),
    ],
)
def test_what_is_wrong_is_one_sentence(folder: Path, arguments: list[str], sentence: str) -> None:
    port = str(free_ports(1)[0])
    result = figures(folder, *(a.replace("FOLDER", str(folder)).replace("PORT", port) for a in arguments))
    assert result.exit_code in (1, 2)
    assert sentence in result.output
    assert not isinstance(result.exception, Exception) or isinstance(result.exception, SystemExit)
    assert not (folder / "out").exists()


def test_what_the_service_refuses_is_said_in_its_words(server: Server, folder: Path) -> None:
    result = figures(folder, "--url", f"http://127.0.0.1:{server.port}", "--size", 9999)
    assert result.exit_code == 1
    assert (
        "/reconstruct/style: size is 9999: give a whole number from 32 to 1024, in pixels." in result.output
    )
