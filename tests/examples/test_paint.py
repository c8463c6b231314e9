from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
STYLES = ROOT / "examples" / "styles"
PHOTOS = ROOT / "examples" / "photos"
SIZE = 64


def paint(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "examples.paint", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def painters() -> set[str]:
    helpers = {"__init__", "__main__", "studio", "brush"}
    modules = {path.stem for path in (ROOT / "examples" / "paint").glob("*.py")}
    return {module.replace("_", "-") for module in modules - helpers}


def table(readme: Path) -> dict[str, str]:
    """The rows of the table in a README: file name to row."""
    rows = [line for line in readme.read_text().splitlines() if line.startswith("| `")]
    return {row.split("`")[1]: row for row in rows}


@pytest.fixture(scope="module")
def painted_twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Every artwork, small, painted by two processes at the same time."""
    folders = (tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second"))
    command = [sys.executable, "-m", "examples.paint", "--size", str(SIZE), "-o"]
    running = [
        subprocess.Popen([*command, str(folder)], cwd=ROOT, stdout=subprocess.PIPE) for folder in folders
    ]
    for process in running:
        process.communicate()
        assert process.returncode == 0
    return folders


@pytest.mark.parametrize("name", sorted(painters()))
def test_painting_twice_gives_the_same_bytes(name: str, painted_twice: tuple[Path, Path]) -> None:
    first, second = (folder / f"{name}.jpg" for folder in painted_twice)
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as picture:
        assert max(picture.size) == SIZE


@pytest.mark.parametrize("name", sorted(painters()))
def test_a_small_painting_is_the_shipped_one_in_small(name: str, painted_twice: tuple[Path, Path]) -> None:
    with Image.open(painted_twice[0] / f"{name}.jpg") as small, Image.open(STYLES / f"{name}.jpg") as shipped:
        assert small.width / small.height == pytest.approx(shipped.width / shipped.height, rel=0.03)
        # The broad masses of colour agree, whatever happens to single strokes.
        masses = [
            list(picture.resize((4, 4), Image.Resampling.BOX).tobytes()) for picture in (small, shipped)
        ]
    differences = [abs(a - b) for a, b in zip(*masses, strict=True)]
    assert sum(differences) / len(differences) < 8


def test_every_painter_has_a_shipped_picture_and_a_line_in_the_readme() -> None:
    files = {f"{name}.jpg" for name in painters()}
    assert files == {path.name for path in STYLES.iterdir()} - {"README.md", "styles.toml"}
    rows = table(STYLES / "README.md")
    assert set(rows) == files
    for file, row in rows.items():
        assert f"python -m examples.paint {Path(file).stem}" in row


def test_the_styles_are_released_under_cc0() -> None:
    assert "https://creativecommons.org/publicdomain/zero/1.0/" in (STYLES / "README.md").read_text()


@pytest.mark.parametrize("path", sorted(STYLES.glob("*.jpg")), ids=lambda path: path.name)
def test_a_shipped_style_opens_and_is_small_to_download(path: Path) -> None:
    with Image.open(path) as picture:
        picture.load()
        assert picture.mode == "RGB"
        assert max(picture.size) == 640
    assert path.stat().st_size < 400_000


def test_all_shipped_pictures_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in STYLES.iterdir()) < 2_000_000
    assert sum(path.stat().st_size for path in PHOTOS.iterdir()) < 400_000


def test_every_photograph_opens_and_has_a_line_with_a_free_licence() -> None:
    rows = table(PHOTOS / "README.md")
    assert set(rows) == {path.name for path in PHOTOS.iterdir() if path.name != "README.md"}
    for name, row in rows.items():
        _, _, subject, author, source, licence, _ = (cell.strip() for cell in row.split("|"))
        assert subject
        assert author
        assert source
        assert licence.startswith(("CC0 1.0", "public domain"))
        with Image.open(PHOTOS / name) as photo:
            photo.load()
            assert max(photo.size) <= 640


def test_an_unknown_artwork_is_refused_with_the_names_there_are() -> None:
    finished = paint("mona-lisa")
    assert finished.returncode == 2
    assert "no artwork is called 'mona-lisa': choose from" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_picture_too_small_to_paint_on_is_refused(tmp_path: Path) -> None:
    finished = paint("--size", "3", "-o", str(tmp_path))
    assert finished.returncode == 2
    assert "choose 16 pixels or more" in finished.stderr
    assert not list(tmp_path.iterdir())
