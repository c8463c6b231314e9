"""What somebody sees of a job while it runs."""

import threading
from dataclasses import dataclass

from torch import Tensor

from service.style import Progress


@dataclass(frozen=True)
class Glimpse:
    """How far a job was at one of its evaluations: `service.style.transfer.Progress` without its tensors."""

    fraction: float
    evaluations: int
    loss: float
    seconds_left: float
    width: int
    height: int


class Watch:
    """The latest of a job, never a backlog.

    The engine shows what there is after each evaluation, the watcher looks when it likes, and neither waits for the
    other: to the engine a slow watcher costs nothing. A preview is only made when it has been asked for.
    """

    def __init__(self) -> None:
        self._latest: Glimpse | None = None
        self._preview: Tensor | None = None
        self._asked = threading.Event()

    def show(self, progress: Progress) -> None:
        """For the engine, on its thread and before the optimisation goes on: this is how far it is."""
        if self._asked.is_set():
            self._asked.clear()
            self._preview = progress.preview()
        height, width = progress.size
        self._latest = Glimpse(
            progress.fraction, progress.evaluations, progress.loss, progress.seconds_left, width, height
        )

    @property
    def latest(self) -> Glimpse | None:
        """Of the last evaluation; None before the first one."""
        return self._latest

    def ask(self) -> None:
        """Have a preview made at the next evaluation."""
        self._asked.set()

    def take(self) -> Tensor | None:
        """The preview that was asked for, uint8 (3, H, W); None until it is there, and once it has been taken."""
        preview = self._preview
        if preview is not None:  # else the one that the engine is just putting there would be lost
            self._preview = None
        return preview
