"""Who may come in. A request takes a place before its body is read, and only the engine gives it back."""

import math
import random
import threading
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self

from service.engine.cost import Costs, after
from service.engine.engine import Engine
from service.engine.jobs import Job
from service.engine.refusals import (
    BatchFullError,
    CannotMeetDeadlineError,
    KeyLimitError,
    NotReadyError,
    PlaceLostError,
    QueueFullError,
)
from service.engine.watch import Watch
from service.style import Work

LEAST_SHARE = 0.5
"""Of its deadline. A request that alone would take longer is content with so much: its picture is cut short."""

BATCH_SHARE = 0.5
"""Of the places, which batch keys may hold together; the rest is left to the others."""

_NOT_READY_SECONDS = 5.0


class Upload(Protocol):
    """A body that is being read, as far as admission cares: `service.api.paint.upload.Upload`."""

    @property
    def crawls(self) -> bool:
        """Whether it has been given a chance, and next to nothing has come of it."""

    def give_up(self) -> None:
        """Read no more of it."""


class Ticket:
    """One place. As a context manager it gives the place back, unless the engine has it by then.

    Attributes:
        seconds: from admission to the deadline; infinite where there is none.
        deadline: on the engine's clock.
        owner: whose key it is; None where there are no keys.
        batch: whether it lets others go first.
        lost: the place belongs to somebody else by now.
    """

    def __init__(self, admission: "Admission", seconds: float, owner: str | None, *, batch: bool) -> None:
        self.seconds = seconds
        self.deadline = admission.engine.now() + seconds
        self.owner = owner
        self.batch = batch
        self.lost = False
        self._admission = admission
        self._submitted = False

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - self._admission.engine.now()

    @contextmanager
    def receiving(self, upload: Upload) -> Generator[None, None, None]:
        """While the body is read. If it crawls, the place may go to somebody who would have to be refused otherwise.

        Raises:
            PlaceLostError: that is what has happened.
        """
        self._admission.begin_upload(self, upload)
        try:
            yield
        finally:
            self._admission.end_upload(self)

    def submit(self, work: Work, label: str, watch: Watch | None = None) -> Job:
        """Hand the work to the engine, and the place with it: it is free again when the job has ended.

        Raises:
            CannotMeetDeadlineError: what is to be done first leaves too little time for this.
        """
        job = self._admission.submit(self, work, label, watch)
        self._submitted = True
        return job

    def leave(self, job: Job | None = None) -> None:
        """Give the place back; `job` is what came of it."""
        self._admission.leave(self, job)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._submitted:
            self.leave()


class Admission:
    """Counts the places, and looks how long those who come in will wait.

    Args:
        engine: which works on what is admitted.
        places: requests that may be inside at once: the running one and those that wait.
        per_owner: of these, for each who has a key; None: all of them.
        jitter: a factor for Retry-After, so that those who were refused together do not return together.
    """

    def __init__(
        self,
        engine: Engine,
        places: int,
        *,
        per_owner: int | None = None,
        jitter: Callable[[], float] = lambda: random.uniform(0.9, 1.1),
    ) -> None:
        self.engine = engine
        self.places = places
        self.per_owner = per_owner
        self._jitter = jitter
        self._taken = 0
        self._batch = 0  # of these, by batch keys
        self._uploads: dict[Ticket, Upload] = {}
        self._owners: Counter[str] = Counter()
        self._costs = Costs()
        # Taken before the queue's own, never after it; and again, where a dead engine's queue ends a job at once.
        self._lock = threading.RLock()

    @property
    def taken(self) -> int:
        """Places that are not free."""
        return self._taken

    @property
    def service_seconds(self) -> float:
        """What one picture takes the engine: a moving average of those it has painted."""
        return self._costs.mean

    @property
    def batch_places(self) -> int:
        """Of the places, those that batch keys may hold together."""
        return max(1, int(BATCH_SHARE * self.places))

    def admit(self, seconds: float | None = None, owner: str | None = None, *, batch: bool = False) -> Ticket:
        """Take a place.

        Args:
            seconds: until the deadline; None: there is none.
            owner: whose key it is; None where there are no keys.
            batch: whether it lets others go first.

        Raises:
            NotReadyError: the engine is loading or dead.
            KeyLimitError: the owner has no place left.
            BatchFullError: the batch keys have none.
            QueueFullError: there is no place.
            CannotMeetDeadlineError: what waits already takes longer than that.
        """
        if not self.engine.serving:
            raise NotReadyError(self.engine.state, self._retry_after(_NOT_READY_SECONDS))
        with self._lock:
            if owner is not None and self.per_owner is not None and self._owners[owner] >= self.per_owner:
                raise KeyLimitError(
                    self.per_owner, self._retry_after(self._next_end(lambda job: job.owner == owner))
                )
            if batch and self._batch >= self.batch_places:
                raise BatchFullError(
                    self.batch_places, self._retry_after(self._next_end(lambda job: job.batch))
                )
            if self._taken >= self.places and not self._make_room():
                raise QueueFullError(self.places, self._retry_after(self._next_end()))
            ticket = Ticket(self, math.inf if seconds is None else seconds, owner, batch=batch)
            # What it will ask for is in its body. Whatever it is, it cannot begin before this.
            if self._ahead(batch) > ticket.seconds:
                raise self._cannot_meet(ticket, self.service_seconds)
            self._taken += 1
            self._batch += batch
            if owner is not None:
                self._owners[owner] += 1
        return ticket

    def submit(self, ticket: Ticket, work: Work, label: str, watch: Watch | None) -> Job:
        """For tickets."""
        with self._lock:
            expected = self._costs.expected(work)
            ahead = self._ahead(ticket.batch)
            needed = expected + after(work)
            if ahead > 0 and ahead + _least(ticket, needed) > ticket.left:
                raise self._cannot_meet(ticket, needed)
            return self.engine.queue.submit(
                work,
                label,
                ticket.leave,
                watch,
                deadline=ticket.deadline,
                expected=min(expected, max(0.0, ticket.left)),
                owner=ticket.owner,
                batch=ticket.batch,
            )

    def begin_upload(self, ticket: Ticket, upload: Upload) -> None:
        """For tickets."""
        with self._lock:
            self._uploads[ticket] = upload

    def end_upload(self, ticket: Ticket) -> None:
        """For tickets."""
        with self._lock:
            self._uploads.pop(ticket, None)
            if ticket.lost:
                raise PlaceLostError(self._retry_after(self._next_end()))

    def leave(self, ticket: Ticket, job: Job | None) -> None:
        """For tickets: give a place back, and learn from the job that held it."""
        with self._lock:
            if not ticket.lost:
                self._free(ticket)
            if job is not None and job.succeeded:
                shortened = job.shortened and job.result().cut_short
                self._costs.learn(job.work, job.busy_seconds, shortened=shortened)

    def _make_room(self) -> bool:
        """Whether a crawling upload has lost its place."""
        slow = next((ticket for ticket, upload in self._uploads.items() if upload.crawls), None)
        if slow is None:
            return False
        slow.lost = True
        self._free(slow)
        self._uploads.pop(slow).give_up()
        return True

    def _free(self, ticket: Ticket) -> None:
        self._taken -= 1
        self._batch -= ticket.batch
        if ticket.owner is not None:
            self._owners[ticket.owner] -= 1
            self._owners += Counter()  # forgets who has none

    def retry_after(self) -> int:
        """Whole seconds until what is there now is expected to be done."""
        with self._lock:
            return self._retry_after(max((end for _, end in self.engine.queue.outlook()), default=0.0))

    def _ahead(self, batch: bool) -> float:
        """Seconds of work that the engine does before what would come now."""
        return self.engine.queue.seconds_before_next(batch=batch)

    def _next_end(self, counts: Callable[[Job], bool] = lambda _: True) -> float:
        """Seconds until the next job ends, of these or of all."""
        ends = [seconds for job, seconds in self.engine.queue.outlook() if counts(job)]
        return ends[0] if ends else self.service_seconds  # all of them are still being uploaded

    def _cannot_meet(self, ticket: Ticket, needed: float) -> CannotMeetDeadlineError:
        ahead = self._ahead(ticket.batch)
        too_much = ahead + _least(ticket, needed) - ticket.seconds
        return CannotMeetDeadlineError(ahead, self._retry_after(too_much))

    def _retry_after(self, seconds: float) -> int:
        return max(1, math.ceil(seconds * self._jitter()))


def _least(ticket: Ticket, needed: float) -> float:
    """Seconds without which there is no use in beginning."""
    return min(needed, LEAST_SHARE * ticket.seconds)
