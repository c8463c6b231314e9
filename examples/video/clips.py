"""Clips: read from a file, written to one, or made by moving a camera over a photograph."""

import contextlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""(H, W, 3), RGB."""

Flow = NDArray[np.float32]
"""(H, W, 2): for each pixel of a frame how far away it is in another one, in pixels, x and y."""


def fitted(frame: Frame, size: int) -> Frame:
    """A frame whose longest side is `size` pixels."""
    scale = size / max(frame.shape[:2])
    width, height = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(frame, (width, height), interpolation=way), np.uint8)


def read(path: Path, size: int) -> tuple[float, Iterator[Frame]]:
    """Frames per second, and the frames, with this longest side.

    Raises:
        ValueError: the file is no clip that OpenCV reads.
    """
    clip = cv2.VideoCapture(str(path))
    fps = clip.get(cv2.CAP_PROP_FPS)
    if not clip.isOpened() or fps <= 0:
        raise ValueError(f"{path} is not a clip that can be read: give an MP4, MOV, WebM or AVI file")

    def frames() -> Iterator[Frame]:
        while True:
            there, frame = clip.read()
            if not there:
                clip.release()
                return
            yield fitted(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8), size)

    return fps, frames()


def write(path: Path, fps: float, frames: Iterable[Frame]) -> None:
    """A clip of frames that all have one size."""
    with contextlib.ExitStack() as stack:
        writer = None
        for frame in frames:
            if writer is None:
                size = (frame.shape[1], frame.shape[0])
                # H.264 wants even sides; quality 8 of 10 keeps the strokes.
                writer = imageio_ffmpeg.write_frames(str(path), size, fps=fps, quality=8, macro_block_size=2)
                stack.callback(writer.close)
                writer.send(None)
            writer.send(np.ascontiguousarray(frame))


@dataclass(frozen=True)
class CameraMove:
    """A camera that moves over a photograph, and closer to it: what moved where is known.

    Attributes:
        photograph: what it looks at.
        size: longest side of a frame, pixels.
        frames: how many there are.
    """

    photograph: Frame
    size: int
    frames: int

    def frame(self, number: int) -> Frame:
        """The frame of this number, from 0."""
        height, width = self._shape
        large = cv2.warpAffine(
            self.photograph,
            self._window(number) @ np.diag([0.5, 0.5, 1.0]),
            (2 * width, 2 * height),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
        return np.asarray(cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def flow(self, number: int) -> Flow:
        """From a frame of number 1 or more to the one before it."""
        height, width = self._shape
        square = np.vstack([self._window(number - 1), [0, 0, 1]])
        back = np.linalg.inv(square) @ np.vstack([self._window(number), [0, 0, 1]])
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        there = np.stack([x, y, np.ones_like(x)], -1) @ back[:2].T
        return np.asarray(there - np.stack([x, y], -1), np.float32)

    @property
    def _shape(self) -> tuple[int, int]:
        height, width = self.photograph.shape[:2]
        scale = self.size / max(height, width)
        return round(height * scale), round(width * scale)

    def _window(self, number: int) -> NDArray[np.float64]:
        """(2, 3): from a frame's pixels to the photograph's."""
        height, width = self.photograph.shape[:2]
        zoom = 0.75 * math.exp(-0.01 * number)
        scale = zoom * max(height, width) / self.size
        left = width * (0.5 - zoom / 2 + 0.008 * (number - self.frames / 2))
        top = height * (0.5 - zoom / 2 - 0.004 * (number - self.frames / 2))
        return np.array([[scale, 0, left], [0, scale, top]])
