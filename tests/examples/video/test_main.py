"""The whole program, with a client that answers in place of a service."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from examples.figures.client import Client, Painted, ServiceError
from examples.video import clips
from examples.video.__main__ import main
from tests.examples.video.test_clips import smooth

Others = Mapping[str, Path | Sequence[Path]]


def pixels(path: object) -> Any:
    with Image.open(str(path)) as image:
        return np.asarray(image)


class Service:
    """Answers with the anchor where it is held, else with the frame in other colours."""

    def __init__(self, patch: pytest.MonkeyPatch, breaks_at: int | None = None) -> None:
        self.asked: list[tuple[Mapping[str, object], Others]] = []
        self.breaks_at = breaks_at
        patch.setattr(Client, "paint", lambda _, *arguments, **named: self.paint(*arguments, **named))

    def paint(
        self,
        path: str,
        options: Mapping[str, object],
        *,
        content: Path,
        styles: Sequence[Path],
        others: Others,
    ) -> Painted:
        if len(self.asked) == self.breaks_at:
            raise ServiceError("There is no service.")
        self.asked.append((options, others))
        frame = 255 - pixels(content)
        if others:
            anchor, mask = (pixels(others[f"anchor_{name}"]) for name in ("image", "mask"))
            frame = np.where(mask[..., None] > 0, anchor, frame)
        report: dict[str, Any] = {"losses": {"content": 1.0, "style": 2.0}}
        return Painted(Image.fromarray(frame.astype(np.uint8)), report)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.fromarray(smooth(240, 320)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def run(photo: Path, *more: str) -> str:
    out = photo.with_name("out.mp4")
    artwork = photo.with_name("photo.png")
    said = CliRunner().invoke(main, [str(photo), str(artwork), str(out), "--size", "96", *more])
    assert said.exit_code == 0, said.output
    return said.output


def test_every_frame_but_the_first_is_held_to_the_one_before(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(monkeypatch)
    said = run(photo, "--made", "4", "--option", "strength=0.6", "--option", "color=style")
    assert [set(others) for _, others in service.asked] == [set(), *[{"anchor_image", "anchor_mask"}] * 3]
    assert service.asked[0][0] == {"size": 96, "strength": 0.6, "color": "style"}
    assert "out.mp4: 4 frames" in said
    assert len(list(clips.read(photo.with_name("out.mp4"), 96)[1])) == 4


def test_it_goes_on_where_it_was_broken_off(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        Service(patch, breaks_at=2)
        said = CliRunner().invoke(
            main, [str(photo), str(photo), str(photo.with_name("out.mp4")), "--size", "96", "--made", "4"]
        )
        assert said.exit_code == 1
        assert "frame 2: There is no service. The same command goes on from there." in said.output
    service = Service(monkeypatch)
    run(photo, "--made", "4")
    assert len(service.asked) == 2, "those that were missing"


def test_it_compares_with_frames_that_were_painted_alone(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Service(monkeypatch)
    said = run(photo, "--made", "3", "--compare")
    assert "held to alone: " in said
    assert "style loss, held to alone: 1.000 to 1.000" in said
    with Image.open(photo.with_name("out.png")) as sheet:
        assert sheet.size == (3 * 96, 2 * 72)


def test_a_file_that_is_no_clip_is_named(photo: Path) -> None:
    text = photo.with_suffix(".txt")
    text.write_text("no clip")
    said = CliRunner().invoke(main, [str(text), str(photo), str(photo.with_name("out.mp4"))])
    assert said.exit_code == 1
    assert "photo.txt is not a clip that can be read: give an MP4" in said.output


def test_a_cut_begins_anew(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(monkeypatch)
    camera = clips.CameraMove(smooth(240, 320), 96, 4)
    first = [camera.frame(number) for number in range(2)]
    clips.write(photo.with_suffix(".mp4"), 12, [*first, *(255 - frame[::-1] for frame in first)])
    said = run(photo.with_suffix(".mp4"))
    assert [bool(others) for _, others in service.asked] == [False, True, False, True]
    assert "frame 2: a cut, " in said
