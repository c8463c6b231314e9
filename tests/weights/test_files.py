import os
from pathlib import Path

import pytest

from service.weights.errors import WeightsError
from service.weights.files import workspace, write_atomically


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208


def test_others_may_read_the_file_as_far_as_the_umask_says(tmp_path: Path) -> None:
    previous = os.umask(0o022)
    try:
        write_atomically(tmp_path / "file", b"new")
    finally:
        os.umask(previous)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_workspace_leaves_nothing_of_itself(tmp_path: Path) -> None:
    with workspace(tmp_path / "weights") as scratch:
        (scratch / "download").write_bytes(b"x")
        (tmp_path / "weights" / "result").write_bytes(b"y")
    assert [path.name for path in (tmp_path / "weights").iterdir()] == ["result"]


def test_a_failure_in_a_new_directory_takes_the_directory_away(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), workspace(tmp_path / "weights") as scratch:  # noqa: PT012
        (scratch / "download").write_bytes(b"x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(WeightsError, match=r"cannot be written \(Not a directory\).*another --dir"),
        workspace(tmp_path / "file" / "weights"),
    ):
        pass
