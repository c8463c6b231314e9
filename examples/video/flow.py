"""Optical flow, which part of it can be trusted, and pictures that are moved along it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from examples.video.clips import Flow, Frame

Trust = NDArray[np.bool_]
"""(H, W): where a flow can be trusted."""

MOST_CHANGE = 40
"""Levels by which the colour of a pixel may differ from that of where it came from, in the mean of its channels."""

CUT = 0.4
"""Trusted part of a frame below which it is the first one after a cut."""


def between(here: Frame, there: Frame) -> Flow:
    """From each pixel of one frame to where it is in another: Dense Inverse Search (Kroeger et al. 2016)."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (here, there)]
    empty = np.zeros((*here.shape[:2], 2), np.float32)
    return np.asarray(search.calc(grey[0], grey[1], empty), np.float32)


def moved(picture: Frame, flow: Flow) -> Frame:
    """What was in another frame, where it is in this one; `flow` leads from this one to that."""
    return np.asarray(
        cv2.remap(picture, *_targets(flow), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def inside(flow: Flow) -> Trust:
    """Where the flow leads to a place inside the other frame."""
    x, y = _targets(flow)
    height, width = flow.shape[:2]
    return np.asarray((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1))


def trusted(frame: Frame, last: Frame, back: Flow, forth: Flow) -> Trust:
    """Where the flow back to the last frame can be trusted.

    The flow there and back has to end near where it began, and must not be a border between things that move
    differently (Sundaram, Brox & Keutzer 2010; Ruder et al. 2016, eq. 5 and 6). The colour has to be the same, too.

    Args:
        frame: this one.
        last: the one before it.
        back: from this one to the last.
        forth: from the last to this one.
    """
    returned = np.asarray(cv2.remap(forth, *_targets(back), cv2.INTER_LINEAR))
    length = (back**2).sum(-1)
    consistent = ((back + returned) ** 2).sum(-1) <= 0.01 * (length + (returned**2).sum(-1)) + 0.5
    slopes = [np.gradient(back[..., axis], axis=side) for axis in (0, 1) for side in (0, 1)]
    steady = sum(slope**2 for slope in slopes) <= 0.01 * length + 0.02
    change = np.abs(moved(last, back).astype(np.int16) - frame).mean(-1)
    return np.asarray(inside(back) & consistent & steady & (change <= MOST_CHANGE))


def warping_error(frame: Frame, last: Frame, back: Flow, trust: Trust) -> float:
    """Root mean square difference of a frame and the last one moved, in steps of 1/255, where it is trusted."""
    difference = frame.astype(np.float64) - moved(last, back)
    return float(np.sqrt((difference[trust] ** 2).mean())) if trust.any() else 0.0


def _targets(flow: Flow) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return x + flow[..., 0], y + flow[..., 1]
