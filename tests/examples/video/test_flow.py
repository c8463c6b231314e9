import numpy as np

from examples.video import flow
from examples.video.clips import CameraMove
from tests.examples.video.test_clips import smooth

CAMERA = CameraMove(smooth(240, 320), 96, 5)


def test_the_flow_that_is_found_is_the_true_one_where_it_is_trusted() -> None:
    frame, last = CAMERA.frame(2), CAMERA.frame(1)
    back = flow.between(frame, last)
    trust = flow.trusted(frame, last, back, flow.between(last, frame))
    assert trust.mean() > 0.9
    assert np.hypot(*(back - CAMERA.flow(2))[trust].T).mean() < 0.3


def test_a_flow_that_does_not_lead_back_is_not_trusted() -> None:
    frame, last = CAMERA.frame(2), CAMERA.frame(1)
    back = flow.between(frame, last)
    assert not flow.trusted(frame, last, back, back + 5).any()


def test_what_has_another_colour_is_not_trusted() -> None:
    frame, last = CAMERA.frame(2), CAMERA.frame(1)
    back, forth = flow.between(frame, last), flow.between(last, frame)
    frame[:30] = 255 - frame[:30] // 4
    trust = flow.trusted(frame, last, back, forth)
    assert trust[:28].mean() < 0.2
    assert trust[32:].mean() > 0.9


def test_another_shot_is_a_cut() -> None:
    frame, last = CAMERA.frame(2), np.ascontiguousarray(255 - CAMERA.frame(1)[::-1])
    trust = flow.trusted(frame, last, flow.between(frame, last), flow.between(last, frame))
    assert trust.mean() < flow.CUT
