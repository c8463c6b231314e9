"""Which files of a folder are artworks, and that nothing outside can be reached."""

import os
from pathlib import Path

import pytest

from service.catalogue.folder import File, LeftOutError, artworks, find


def names(folder: Path) -> list[str]:
    return list(artworks(folder)[0])


def test_names_are_those_of_the_files_in_order(tmp_path: Path) -> None:
    for entry in (
        "rose.png",
        "dusk_2.JPG",
        "a-b.webp",
        "x.avif",
        "y.jpeg",
        "README.md",
        "styles.toml",
        ".z.png",
    ):
        (tmp_path / entry).touch()
    (tmp_path / "folder").mkdir()
    assert artworks(tmp_path) == (
        {name: find(tmp_path, entry) for name, entry in [("a-b", "a-b.webp"), ("dusk_2", "dusk_2.JPG")]}
        | {
            name: find(tmp_path, entry)
            for name, entry in [("rose", "rose.png"), ("x", "x.avif"), ("y", "y.jpeg")]
        },
        [],
    )
    assert names(tmp_path) == ["a-b", "dusk_2", "rose", "x", "y"]


@pytest.mark.parametrize(
    "entry", ["Rose.png", "starry night.png", "ö.png", "-a.png", "a.b.png", "a" * 65 + ".png"]
)
def test_a_name_that_is_no_slug_is_left_out_with_advice(tmp_path: Path, entry: str) -> None:
    (tmp_path / entry).touch()
    assert artworks(tmp_path) == (
        {},
        [
            f"{entry} is left out: names have small letters, digits, - and _, at most 64: "
            "rename it, like starry-night.jpg."
        ],
    )


def test_of_two_files_with_one_name_the_first_counts(tmp_path: Path) -> None:
    for entry in ("rose.png", "rose.jpg"):
        (tmp_path / entry).touch()
    files, left_out = artworks(tmp_path)
    assert files["rose"].path.name == "rose.jpg"
    assert left_out == ["rose.png is left out: rose.jpg has the same name: rename one of them."]


@pytest.mark.parametrize("target", ["../secret.png", "{outside}/secret.png", "../secret.png/../secret.png"])
def test_a_link_that_leads_out_of_the_folder_is_left_out(tmp_path: Path, target: str) -> None:
    (tmp_path / "secret.png").touch()
    folder = tmp_path / "styles"
    folder.mkdir()
    (folder / "rose.png").symlink_to(target.format(outside=tmp_path))
    files, (left_out,) = artworks(folder)
    assert files == {}
    assert left_out.startswith("rose.png is left out: ")


def test_neither_does_a_folder_with_a_like_name_count_as_inside(tmp_path: Path) -> None:
    (tmp_path / "styles-secret").mkdir()
    (tmp_path / "styles-secret" / "a.png").touch()
    (tmp_path / "styles").mkdir()
    (tmp_path / "styles" / "a.png").symlink_to("../styles-secret/a.png")
    with pytest.raises(LeftOutError, match="leads out of the folder"):
        find(tmp_path / "styles", "a.png")


def test_a_link_within_the_folder_is_followed_as_kubernetes_makes_them(tmp_path: Path) -> None:
    (tmp_path / "..2024").mkdir()
    (tmp_path / "..2024" / "rose.png").touch()
    (tmp_path / "..data").symlink_to("..2024")
    (tmp_path / "rose.png").symlink_to("..data/rose.png")
    files, left_out = artworks(tmp_path)
    assert files["rose"].path == tmp_path / "..2024" / "rose.png"
    assert (list(files), left_out) == (["rose"], [])


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "rose.png").touch()
    (tmp_path / "styles").symlink_to("real")
    assert names(tmp_path / "styles") == ["rose"]


def test_what_is_no_file_is_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")  # reading it would wait for ever
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "circle.png").symlink_to("circle.png")
    (tmp_path / "gone.png").symlink_to("nothing.png")
    files, left_out = artworks(tmp_path)
    assert files == {}
    assert [sentence.partition(" ")[0] for sentence in left_out] == [
        "circle.png",
        "folder.png",
        "gone.png",
        "pipe.png",
    ]


@pytest.mark.parametrize("change", ["content", "replacement", "permissions"])
def test_a_file_is_another_one_once_it_has_changed(tmp_path: Path, change: str) -> None:
    path = tmp_path / "rose.png"
    path.write_bytes(b"1")
    before = find(tmp_path, "rose.png")
    assert find(tmp_path, "rose.png") == before
    if change == "content":
        path.write_bytes(b"22")
    elif change == "replacement":
        (tmp_path / "new").write_bytes(b"3")
        (tmp_path / "new").rename(path)
    else:
        path.chmod(0o600)
        os.utime(path, ns=(before.stamp[3], before.stamp[3]))
    after = find(tmp_path, "rose.png")
    assert isinstance(after, File)
    assert after != before
