"""docs/develop/gallery.md: no picture without the command that makes it, and no option that it forgets."""

import re
from pathlib import Path

import pytest
from PIL import Image

from examples.figures.recipes import Panel
from examples.gallery import (
    ALL_BLUE,
    ALL_RED,
    CAT_AND_ROOM,
    CAT_ONLY,
    GLASS,
    IMAGES,
    MOST_BYTES,
    PHOTO,
    SHEETS,
    STARS,
    draw_helpers,
    save,
)
from service.intake.contract import PICTURES as PICTURES_SENT
from service.intake.contract import StylizeOptions

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/develop/gallery.md").read_text()
PICTURES = re.findall(r"!\[[^\]]*\]\(\.\./images/([a-z0-9_]+)\.jpg\)\n\n((?: {4}\S.*\n)+)", PAGE)


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures that the sheets need beside those of the examples."""
    monkeypatch.chdir(tmp_path)
    draw_helpers()


def test_every_picture_has_its_command_below_it() -> None:
    assert len(PICTURES) == PAGE.count("](../images/") > 0
    for name, command in PICTURES:
        wanted = f"--figure {name[-1]}" if name.startswith("figure") else f"examples.gallery {name}"
        assert wanted in command


def test_every_sheet_has_its_command_in_the_gallery() -> None:
    assert {name for name, _ in PICTURES} <= {*SHEETS, "figure1", "figure2", "figure3"}
    for name in SHEETS:
        assert f"\n    python -m examples.gallery {name}\n" in PAGE


@pytest.mark.parametrize("name", [name for name, _ in PICTURES])
def test_every_picture_is_small_enough_for_a_page(name: str) -> None:
    assert (ROOT / IMAGES / f"{name}.jpg").stat().st_size < MOST_BYTES


@pytest.mark.parametrize("option", StylizeOptions.model_fields)
def test_every_option_is_shown_or_explained(option: str) -> None:
    assert re.search(rf"^###.*\b{option}\b", PAGE, re.MULTILINE)


def test_every_panel_asks_for_options_that_there_are(drawn: None) -> None:
    for strips in SHEETS.values():
        for strip in strips:
            for panel in strip.shown:
                if isinstance(panel, Panel):
                    assert set(panel.options) <= set(StylizeOptions.model_fields)
                    assert panel.content is not None
                    assert all(path.is_file() for path in (panel.content, *panel.styles))
                    assert set(panel.others) <= set(PICTURES_SENT)


def test_the_masks_that_are_drawn_fit_their_pictures(drawn: None) -> None:
    for labels, picture in ((CAT_ONLY, PHOTO), (CAT_AND_ROOM, PHOTO), (ALL_RED, GLASS), (ALL_BLUE, STARS)):
        with Image.open(labels) as mask, Image.open(picture) as original:
            assert mask.size == original.size
            assert len(mask.getcolors() or []) in (1, 2)


def test_a_sheet_that_is_hard_to_compress_is_still_small_enough(tmp_path: Path) -> None:
    save(Image.effect_noise((1500, 900), 80), tmp_path / "noise.jpg")
    with Image.open(tmp_path / "noise.jpg") as saved:
        assert saved.width == 1400
