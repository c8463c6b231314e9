"""What the engine works on, and what it works with."""

import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from service.style.options import Options
from service.watch import Watch

if TYPE_CHECKING:
    from service.style.progress import Progress, Result
    from service.style.regions import Masks

Picture = Any  # uint8 tensor (3, H, W): this module hands it on and needs no torch for that


class LoadError(Exception):
    """The network cannot be loaded; the message says in one sentence what to do."""


class CancelledError(Exception):
    """The job was given up because nobody waits for it any more."""


class JobError(Exception):
    """The job ended with an unexpected error, which has been logged."""


@dataclass(frozen=True)
class Work:
    """What to paint: uint8 pictures (3, H, W), and how.

    Attributes:
        content, styles: the photograph and the artworks.
        options: complete.
        masks: which parts are painted in which style; None: all of it, in that of all artworks.
        start: what to start from in place of the photograph.
    """

    content: Picture
    styles: Sequence[Picture]
    options: Options
    masks: "Masks | None" = None
    start: Picture | None = None


class Model(Protocol):
    """A loaded network that can paint."""

    @property
    def backbone(self) -> str:
        """Name of the network, such as vgg16."""

    @property
    def note(self) -> str:
        """What the user should know about it; which weights, and how to get others."""

    @property
    def weights(self) -> str:
        """SHA-256 of the weights."""

    @property
    def device(self) -> str:
        """Either cpu or cuda."""

    @property
    def torch(self) -> str:
        """Version of torch."""

    @property
    def arithmetic(self) -> str:
        """All of the machine that the last bit of a picture depends on: which unit, which dtype, how many threads."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Names that content_layers and style_layers may use."""

    def paint(self, work: Work) -> Generator["Progress", None, "Result"]:
        """Paint; one step for each evaluation. Closing the generator frees everything."""

    def warm_up(self) -> None:
        """Paint something small, so that the first request does not pay for what happens once."""


class Job:
    """One picture to paint, seen by the thread that waits for it.

    Attributes:
        submitted: when, on the engine's clock.
        queued_seconds, busy_seconds: how long it waited and was worked on; final once it is done.
        evaluations: of loss and gradient so far.
        cancelled: nobody wants it any more; see `Engine.cancel`.
        watch: where its progress is shown; None where nobody looks.
    """

    def __init__(
        self,
        work: Work,
        label: str,
        on_end: Callable[["Job"], None],
        now: float,
        watch: Watch | None = None,
    ) -> None:
        self.work = work
        self.label = label
        self.watch = watch
        self.queued_seconds = 0.0
        self.busy_seconds = 0.0
        self.evaluations = 0
        self._on_end = on_end
        self.submitted = now
        self.cancelled = False
        self._done = threading.Event()
        self._result: Result | None = None
        self._error: Exception | None = None

    def wait(self, seconds: float) -> bool:
        """Whether the job has ended, after waiting at most so long."""
        return self._done.wait(seconds)

    def result(self) -> "Result":
        """The picture of a job that has ended.

        Raises:
            CancelledError: it was cancelled before it ended.
            JobError: it ended with an error.
        """
        if self._error is not None:
            raise self._error
        if self._result is None:
            raise RuntimeError("the job has not ended yet")
        return self._result

    def end(self, result: "Result | None" = None, error: Exception | None = None) -> None:
        """For the engine: the job has come to this."""
        self._result, self._error = result, error
        self._on_end(self)
        self._done.set()

    @property
    def succeeded(self) -> bool:
        """Whether there is a picture."""
        return self._result is not None
