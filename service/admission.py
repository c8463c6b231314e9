"""Who may come in. A request takes a place before its body is read, and only the engine gives it back."""

import math
import random
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from service.engine import Engine, State
from service.jobs import Job, Work
from service.watch import Watch

# What is assumed of a picture before the first one has been measured.
FIRST_GUESS_SECONDS = 10.0
# Weight of the newest measurement in the moving average.
_NEWEST = 0.2
_NOT_READY_SECONDS = 5.0


class QueueFullError(Exception):
    """Every place is taken.

    Attributes:
        places: how many there are.
        retry_after: whole seconds after which it is worth asking again.
    """

    def __init__(self, places: int, retry_after: int) -> None:
        super().__init__(f"all {places} places are taken")
        self.places = places
        self.retry_after = retry_after


class NotReadyError(Exception):
    """The engine does not serve yet, or no more.

    Attributes:
        state: of the engine.
        retry_after: whole seconds after which it is worth asking again.
    """

    def __init__(self, state: State, retry_after: int) -> None:
        super().__init__(f"the engine is {state}")
        self.state = state
        self.retry_after = retry_after


class Ticket:
    """One place. As a context manager it gives the place back, unless the engine has it by then."""

    def __init__(self, admission: "Admission") -> None:
        self._admission = admission
        self._submitted = False

    def submit(self, work: Work, label: str, watch: Watch | None = None) -> Job:
        """Hand the work to the engine, and the place with it: it is free again when the job has ended."""
        self._submitted = True
        return self._admission.engine.submit(work, label, self._admission.leave, watch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._submitted:
            self._admission.leave(None)


class Admission:
    """Counts the places.

    Args:
        engine: which works on what is admitted.
        places: requests that may be inside at once: the running one and those that wait.
        jitter: a factor for Retry-After, so that those who were refused together do not return together.
    """

    def __init__(
        self, engine: Engine, places: int, *, jitter: Callable[[], float] = lambda: random.uniform(0.8, 1.2)
    ) -> None:
        self.engine = engine
        self.places = places
        self._jitter = jitter
        self._taken = 0
        self._seconds: float | None = None
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """Places that are not free."""
        return self._taken

    @property
    def service_seconds(self) -> float:
        """What one picture takes the engine: a moving average of those it has painted."""
        return FIRST_GUESS_SECONDS if self._seconds is None else self._seconds

    def admit(self) -> Ticket:
        """Take a place.

        Raises:
            NotReadyError: the engine is loading, draining or dead.
            QueueFullError: there is no place.
        """
        state = self.engine.state
        if state is not State.READY:
            raise NotReadyError(state, self._retry_after(_NOT_READY_SECONDS))
        with self._lock:
            if self._taken >= self.places:
                raise QueueFullError(self.places, self._retry_after(self._taken * self.service_seconds))
            self._taken += 1
        return Ticket(self)

    def leave(self, job: Job | None) -> None:
        """Give a place back, and learn from the job that held it."""
        with self._lock:
            self._taken -= 1
            if job is not None and job.succeeded:
                old = self._seconds
                seconds = job.busy_seconds
                self._seconds = seconds if old is None else old + _NEWEST * (seconds - old)

    def _retry_after(self, seconds: float) -> int:
        return max(1, math.ceil(seconds * self._jitter()))
