from pathlib import Path

import numpy as np
import pytest

from examples.video import clips, flow
from examples.video.clips import CameraMove, Frame


def smooth(height: int, width: int) -> Frame:
    """A picture with a colour of its own at each place."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 9) + np.cos(y / 7), np.sin((x + y) / 11), np.cos((x - y) / 13)]
    return (128 + 50 * np.stack(waves, -1)).round().astype(np.uint8)


@pytest.fixture
def camera() -> CameraMove:
    return CameraMove(smooth(240, 320), 96, 5)


def test_the_flow_of_a_camera_says_where_everything_was(camera: CameraMove) -> None:
    for number in (1, 4):
        back = camera.flow(number)
        error = flow.warping_error(camera.frame(number), camera.frame(number - 1), back, flow.inside(back))
        still = flow.warping_error(
            camera.frame(number), camera.frame(number - 1), 0 * back, flow.inside(0 * back)
        )
        assert error < 2 < still


def test_what_was_outside_the_last_frame_is_not_there(camera: CameraMove) -> None:
    leaving = np.zeros((72, 96, 2), np.float32)
    leaving[..., 0] = 10
    assert flow.inside(leaving).mean() == pytest.approx(86 / 96)


def test_a_clip_that_is_written_is_read_again(tmp_path: Path, camera: CameraMove) -> None:
    frames = [camera.frame(number) for number in range(5)]
    clips.write(tmp_path / "clip.mp4", 10, iter(frames))
    fps, read = clips.read(tmp_path / "clip.mp4", 96)
    found = list(read)
    assert (fps, len(found)) == (10, 5)
    for before, after in zip(frames, found, strict=True):
        assert np.abs(before.astype(int) - after).mean() < 8
