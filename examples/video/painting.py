"""Frame after frame to the service; what is painted stays in a folder, from which it goes on after a break."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from examples.figures.client import Client
from examples.video.clips import Flow, Frame
from examples.video.flow import Trust, moved

Motion = Callable[[int], tuple[Flow, Trust] | None]
"""For a frame of number 1 or more: the flow to the one before it, and where it can be trusted; None: a cut."""


@dataclass(frozen=True)
class Painter:
    """Paints the frames of one clip in one folder.

    Attributes:
        client: of a service.
        artwork: file of the artwork.
        options: by the names of the API.
        folder: where painted frames are.
    """

    client: Client
    artwork: Path
    options: Mapping[str, object]
    folder: Path

    def paint(self, number: int, frame: Frame, motion: tuple[Flow, Trust] | None) -> Frame:
        """One frame, held to the last one that was painted where the motion can be trusted.

        Raises:
            ServiceError: the service paints no picture.
        """
        done = self._file(number, "painted.png")
        if not done.exists():
            others: dict[str, Path] = {}
            if motion is not None:
                flow, trust = motion
                others["anchor_image"] = self._save(
                    number, "anchor.png", moved(self.painted(number - 1), flow)
                )
                others["anchor_mask"] = self._save(
                    number, "held.png", np.where(trust, 255, 0).astype(np.uint8)
                )
            answer = self.client.paint(
                "/stylize",
                self.options,
                content=self._save(number, "frame.png", frame),
                styles=[self.artwork],
                others=others,
            )
            self._file(number, "losses.json").write_text(json.dumps(answer.report["losses"]))
            half = done.with_suffix(".part")  # a break leaves no half of a picture
            answer.picture.save(half, "png")
            half.replace(done)
        return self.painted(number)

    def painted(self, number: int) -> Frame:
        """A frame that has been painted."""
        with Image.open(self._file(number, "painted.png")) as image:
            return np.asarray(image.convert("RGB"))

    def losses(self, number: int) -> dict[str, Any]:
        """Those of a painted frame, as the service reports them."""
        found: dict[str, Any] = json.loads(self._file(number, "losses.json").read_text())
        return found

    def _file(self, number: int, what: str) -> Path:
        return self.folder / f"{number:05}-{what}"

    def _save(self, number: int, what: str, picture: Frame) -> Path:
        path = self._file(number, what)
        Image.fromarray(picture).save(path)
        return path
