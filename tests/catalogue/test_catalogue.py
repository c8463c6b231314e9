"""A folder that changes while it is looked at."""

import io
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from devtools.serving import picture, wait_until
from service.catalogue import Catalogue
from service.catalogue import catalogue as module
from service.catalogue import folder as folders
from service.images.decoders import LentDecoder
from service.images.delivery import deliver


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rose.png").write_bytes(picture(600, 400, "red"))
    (tmp_path / "dusk.jpg").write_bytes(picture(30, 40, "blue", "jpeg"))
    return tmp_path


def looked(folder: Path | None, **options: Any) -> Catalogue:
    catalogue = Catalogue(folder, max_pixels=10_000_000, **options)
    catalogue.look()
    return catalogue


def test_it_lists_what_is_there(folder: Path) -> None:
    styles = looked(folder).styles
    assert [(s.name, s.title, s.preview.width, s.preview.height) for s in styles.values()] == [
        ("dusk", "Dusk", 30, 40),
        ("rose", "Rose", 600, 400),
    ]


def test_a_thumbnail_is_a_small_jpeg(folder: Path) -> None:
    styles = looked(folder).styles
    sizes = {}
    for style in styles.values():
        image = Image.open(io.BytesIO(style.preview.thumbnail))
        assert image.format == "JPEG"
        sizes[style.name] = image.size
    assert sizes == {"dusk": (30, 40), "rose": (256, 171)}
    assert len({style.preview.etag for style in styles.values()}) == 2


def test_a_thumbnail_of_something_transparent_is_laid_on_white(folder: Path) -> None:
    glass = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    glass.putpixel((0, 0), (0, 0, 0, 255))
    glass.save(folder / "glass.png")
    thumbnail = Image.open(io.BytesIO(looked(folder).styles["glass"].preview.thumbnail))
    assert thumbnail.getpixel((20, 20)) == (255, 255, 255)


def test_an_artwork_comes_decoded_and_is_decoded_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = looked(folder)
    monkeypatch.setattr(LentDecoder, "picture", None)
    rose = catalogue.artwork(catalogue.styles["rose"])
    assert rose is not None
    assert rose.rgb.shape == (3, 400, 600)
    assert rose.rgb[:, 0, 0].tolist() == [255, 0, 0]
    assert catalogue.artwork(catalogue.styles["rose"]) is rose


def test_an_artwork_that_has_changed_since_is_not_passed_off_as_the_one_that_was_listed(
    folder: Path,
) -> None:
    catalogue = looked(folder, cache_bytes=0)
    rose = catalogue.styles["rose"]
    assert catalogue.artwork(rose) is not None
    (folder / "rose.png").write_bytes(picture(600, 400, "green"))
    for _ in range(2):
        assert catalogue.artwork(rose) is None


@pytest.mark.parametrize(
    "name", ["tulip", "", "..", "../rose", "rose.png", "/etc/passwd", "..data", "rose\0"]
)
def test_other_names_lead_nowhere(folder: Path, name: str) -> None:
    catalogue = looked(folder)
    assert name not in catalogue.styles
    assert "is not a style of this service" in catalogue.complaint(name)


def test_a_name_that_is_almost_right_is_suggested(folder: Path) -> None:
    catalogue = looked(folder)
    assert catalogue.complaint("roses") == (
        '"roses" is not a style of this service: did you mean rose? GET /styles lists all of them.'
    )
    assert "is not a style" in catalogue.complaint("rose" * 5_000_000)  # and at once
    assert catalogue.complaint("xyz") == '"xyz" is not a style of this service: GET /styles lists them.'


def test_without_a_folder_there_is_none() -> None:
    catalogue = looked(None)
    assert dict(catalogue.styles) == {}
    assert catalogue.complaint("rose") == (
        '"rose" is not a known style, because this service has no catalogue: send the artwork as a file.'
    )


def test_what_is_added_changed_and_removed_shows_at_the_next_look(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    catalogue = looked(folder)
    before = catalogue.styles
    (folder / "tulip.webp").write_bytes(picture(50, 50, "yellow", "webp"))
    (folder / "rose.png").write_bytes(picture(60, 40, "pink"))
    (folder / "dusk.jpg").unlink()
    catalogue.look()
    assert list(catalogue.styles) == ["rose", "tulip"]
    assert catalogue.styles["rose"].preview.width == 60
    assert catalogue.styles["rose"].preview.etag != before["rose"].preview.etag
    assert catalogue.styles["rose"].preview.digest != before["rose"].preview.digest
    rose = catalogue.artwork(catalogue.styles["rose"])
    assert rose is not None
    assert rose.size == (60, 40)
    assert catalogue.artwork(before["dusk"]) is None
    catalogue.look()
    assert caplog.messages == [
        "2 styles in the catalogue: dusk, rose",
        "2 styles in the catalogue: rose, tulip",
    ]


def test_what_has_not_changed_is_not_decoded_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = looked(folder)
    styles = catalogue.styles
    (folder / "broken.png").write_bytes(b"abc")
    catalogue.look()
    monkeypatch.setattr(LentDecoder, "picture", None)
    catalogue.look()
    assert catalogue.styles == styles


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"hello", "the file is not a picture that the service can read"),
        (picture()[:60], "the PNG file is damaged or cut short"),
        (picture(4000, 3000), "the picture has 12.0 megapixels and at most 10 are accepted"),
        (picture(1, 1), "the picture's shorter side has 1 px"),
    ],
)
def test_a_picture_that_cannot_be_used_is_left_out_and_logged_once(
    folder: Path, data: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "broken.png").write_bytes(data)
    catalogue = looked(folder)
    catalogue.look()
    assert list(catalogue.styles) == ["dusk", "rose"]
    (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warning.startswith(f"broken.png is left out: {reason}")
    (folder / "broken.png").write_bytes(picture())
    catalogue.look()
    assert list(catalogue.styles) == ["broken", "dusk", "rose"]


def test_an_unexpected_error_keeps_one_picture_away_and_not_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(small: torch.Tensor, *rest: Any) -> bytes:
        if small[2].max() > 200:  # dusk is blue
            raise RuntimeError("no")
        return deliver(small, *rest)

    monkeypatch.setattr(module, "deliver", fail)
    assert list(looked(folder).styles) == ["rose"]
    assert "dusk.jpg is left out: there was an unexpected error" in caplog.text


def test_credits_are_read_and_follow_the_file(folder: Path) -> None:
    (folder / "styles.toml").write_text('[rose]\ntitle = "A rose"\nartist = "Somebody"')
    catalogue = looked(folder)
    assert catalogue.styles["rose"].title == "A rose"
    assert catalogue.styles["rose"].credits.artist == "Somebody"
    (folder / "styles.toml").write_text("[rose]\nyear = 1889")
    catalogue.look()
    assert catalogue.styles["rose"].title == "Rose"
    assert catalogue.styles["rose"].credits.year == "1889"
    (folder / "styles.toml").unlink()
    catalogue.look()
    assert catalogue.styles["rose"].credits.year is None


def test_broken_credits_change_nothing_and_are_logged_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "styles.toml").write_text('[rose]\ntitle = "A rose"')
    catalogue = looked(folder)
    (folder / "styles.toml").write_text("[rose\n")
    for _ in range(2):
        catalogue.look()
        assert catalogue.styles["rose"].title == "A rose"
    (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warning.startswith("styles.toml is not TOML")


def test_credits_outside_of_the_folder_are_not_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "secret.toml").write_text('[rose]\ntitle = "secret"')
    (tmp_path / "styles").mkdir()
    (tmp_path / "styles" / "rose.png").write_bytes(picture())
    (tmp_path / "styles" / "styles.toml").symlink_to("../secret.toml")
    assert looked(tmp_path / "styles").styles["rose"].title == "Rose"
    assert "styles.toml is left out: it is a link that leads out of the folder" in caplog.text


def test_a_folder_that_cannot_be_read_any_more_leaves_the_styles_as_they_were(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    catalogue = looked(folder)
    shutil.rmtree(folder)
    for _ in range(2):
        catalogue.look()
    assert list(catalogue.styles) == ["dusk", "rose"]
    assert [m for m in caplog.messages if "the styles stay as they were" in m] == [
        f"{folder} cannot be read (No such file or directory): the styles stay as they were."
    ]


def test_a_mounted_config_map_that_is_replaced_shows_its_new_pictures(tmp_path: Path) -> None:
    for version, paint in (("..1", "red"), ("..2", "lime")):
        (tmp_path / version).mkdir()
        (tmp_path / version / "rose.png").write_bytes(picture(color=paint))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "rose.png").symlink_to("..data/rose.png")
    catalogue = looked(tmp_path)

    def color() -> list[int]:
        rose = catalogue.artwork(catalogue.styles["rose"])
        assert rose is not None
        colors: list[int] = rose.rgb[:, 0, 0].tolist()
        return colors

    assert color() == [255, 0, 0]
    (tmp_path / "..tmp").symlink_to("..2")
    (tmp_path / "..tmp").rename(tmp_path / "..data")
    shutil.rmtree(tmp_path / "..1")
    catalogue.look()
    assert color() == [0, 255, 0]


def test_no_more_pixels_are_kept_than_fit(folder: Path) -> None:
    for number in range(5):
        (folder / f"p{number}.png").write_bytes(picture(100, 100))
    catalogue = looked(folder, cache_bytes=65_000)  # two of 30,000 bytes; rose has 720,000
    assert 0 < catalogue._cache.size <= 65_000
    for style in [*catalogue.styles.values(), *catalogue.styles.values()]:
        artwork = catalogue.artwork(style)
        assert artwork is not None
        assert artwork.rgb.dtype == torch.uint8
        assert catalogue._cache.size <= 65_000


def test_it_is_watched_until_it_is_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.01)
    catalogue = looked(folder)
    catalogue.watch()
    (folder / "tulip.png").write_bytes(picture())
    wait_until(lambda: "tulip" in catalogue.styles)
    catalogue.stop()


def test_a_look_that_fails_is_not_the_last(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.01)
    catalogue = looked(folder)
    real: Callable[[Path], object] = folders.artworks
    failures: list[Path] = []

    def fail_once(path: Path) -> object:
        if not failures:
            failures.append(path)
            raise RuntimeError("no")
        return real(path)

    monkeypatch.setattr(folders, "artworks", fail_once)
    (folder / "tulip.png").write_bytes(picture())
    catalogue.watch()
    wait_until(lambda: "tulip" in catalogue.styles)
    catalogue.stop()
    assert "the catalogue could not be looked at" in caplog.messages
