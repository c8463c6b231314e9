"""What the engine works on, and what it works with."""

import math
import threading
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Literal, Protocol

from service.engine.watch import Watch
from service.problems import GivenUp
from service.style import Progress, Result, Shapes, Work

# Of a limit, which has to be above 0: the first evaluation is made in any case.
_LEAST_SECONDS = 1e-3


class LoadError(Exception):
    """The network cannot be loaded; the message says in one sentence what to do."""


class CancelledError(Exception):
    """The job was given up because nobody waits for it any more."""


class DeadlineError(Exception):
    """The job's deadline passed before it began."""


class JobError(Exception):
    """The job ended with an unexpected error, which has been logged."""


class OutOfMemoryError(JobError):
    """There was not enough memory for the job; what it had is free again."""


class EngineDiedError(JobError):
    """The engine can do no more jobs: the process ends."""


Fault = Literal["memory", "sticky"]
"""Errors that are not of the job: there is not enough memory, or the device can do nothing any more."""


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
    def layers(self) -> tuple[str, ...]:
        """Names that content_layers and style_layers may use."""

    @property
    def largest_size(self) -> int | None:
        """Largest size whose painting fits into the memory, with the default options; None: no size does."""

    def expected_seconds(self, size: int) -> float | None:
        """What a picture with this longest side takes with the default options; None: not known."""

    def require_memory(self, shapes: Shapes) -> None:
        """Raise DoesNotFitError, a ValueError, for a request that would take more memory than there is for it."""

    def require_room(self, shapes: Shapes) -> None:
        """Raise DoesNotFitError for pictures, as they are kept, that take more memory than those that wait may."""

    def prepared(self, work: Work, look: Callable[[], object] = lambda: None) -> Work:
        """With all that can be made of it before its turn. Called on the thread of whoever wants it.

        Args:
            work: to be painted.
            look: called before each part of it; what it raises ends the preparation.
        """

    def paint(self, work: Work) -> Generator[Progress, None, Result]:
        """Paint; one step for each evaluation, or for a few. Closing the generator frees everything."""

    def fault(self, error: BaseException) -> Fault | None:
        """What is wrong, where an error that `paint` raised is not of the job."""

    def release(self) -> None:
        """Give back memory that is only kept for the next picture."""

    def warm_up(self) -> None:
        """Paint something small, so that the first request does not pay for what happens once."""


class Job:
    """One picture to paint, seen by the thread that waits for it.

    Attributes:
        submitted, started: when, on the engine's clock; started is None while it waits.
        deadline: when its answer has to be on its way, on the engine's clock.
        expected: seconds that it will probably keep the engine busy.
        owner: whose key it came with, if any.
        batch: whether it lets others go first; see `JobQueue`.
        queued_seconds, busy_seconds: how long it waited and was worked on; final once it is done.
        evaluations: of loss and gradient so far.
        cancelled: why nobody wants it any more, if so; see `JobQueue.cancel`.
        shortened: its deadline leaves it less time than it may take otherwise.
        watch: where its progress is shown; None where nobody looks.
    """

    def __init__(
        self,
        work: Work,
        label: str,
        on_end: Callable[["Job"], None],
        now: float,
        watch: Watch | None = None,
        *,
        deadline: float = math.inf,
        expected: float = 0.0,
        owner: str | None = None,
        batch: bool = False,
    ) -> None:
        self.work = work
        self.label = label
        self.watch = watch
        self.deadline = deadline
        self.expected = expected
        self.owner = owner
        self.batch = batch
        self.queued_seconds = 0.0
        self.busy_seconds = 0.0
        self.evaluations = 0
        self._on_end = on_end
        self.submitted = now
        self.started: float | None = None
        self.cancelled: GivenUp | None = None
        self.shortened = False
        self._done = threading.Event()
        self._result: Result | None = None
        self._error: Exception | None = None

    def begin(self, now: float, after: float) -> Work:
        """For the engine: what to do, in the time that is left.

        Args:
            now: on the engine's clock.
            after: seconds to keep for what comes after the optimisation.

        Raises:
            DeadlineError: there is none left.
        """
        self.started = now
        self.queued_seconds = now - self.submitted
        if now >= self.deadline:
            raise DeadlineError
        left = max(_LEAST_SECONDS, self.deadline - now - after)
        options = self.work.options
        limits = [limit for limit in (options.budget, options.time_limit) if limit is not None]
        if left >= min(limits, default=math.inf):
            return self.work
        self.shortened = True
        return replace(self.work, options=replace(options, time_limit=left))

    def remaining(self, now: float) -> float:
        """Seconds that it will probably keep the engine busy from now on."""
        if self.cancelled:
            return 0.0  # but for the evaluation that is under way
        return self.expected if self.started is None else max(0.0, self.expected - (now - self.started))

    def wait(self, seconds: float) -> bool:
        """Whether the job has ended, after waiting at most so long."""
        return self._done.wait(seconds)

    def result(self) -> Result:
        """The picture of a job that has ended.

        Raises:
            CancelledError: it was cancelled before it ended.
            DeadlineError: its deadline passed before it began.
            JobError: it ended with an error; OutOfMemoryError and EngineDiedError are some.
        """
        if self._error is not None:
            raise self._error
        if self._result is None:
            raise RuntimeError("the job has not ended yet")
        return self._result

    def end(self, result: Result | None = None, error: Exception | None = None) -> None:
        """For the engine: the job has come to this, and its copies are of no more use."""
        self._result, self._error = result, error
        self.work = replace(self.work, copies=None)  # whoever waits, or answers, keeps the job
        self._on_end(self)
        self._done.set()

    @property
    def succeeded(self) -> bool:
        """Whether there is a picture."""
        return self._result is not None
