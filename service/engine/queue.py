"""The engine's jobs in the order of their arrival, batch jobs later: one runs, the others wait."""

import bisect
import math
import threading
from collections.abc import Callable

from service.engine.jobs import CancelledError, EngineDiedError, Job
from service.engine.watch import Watch
from service.problems import GivenUp
from service.style import Work

PATIENCE_SECONDS = 60.0
"""How long a batch job lets others go first."""

_IDLE_SECONDS = 1.0
_REMEMBERED_SECONDS = 60.0


class JobQueue:
    """Any thread puts jobs in, the engine's takes them out.

    A batch job stands where it would if it had come `patience` seconds later. So it lets the others go first, but
    only those that come within that time: none waits for ever. A job's place among those that are there never
    changes; what comes later goes before batch jobs only.

    Args:
        clock: monotonic seconds, which deadlines are on too.
        patience: how much later, in seconds.
    """

    def __init__(self, clock: Callable[[], float], patience: float = PATIENCE_SECONDS) -> None:
        self._clock = clock
        self._patience = patience
        self._waiting: list[Job] = []
        self._share = 0.0  # of the engine's time, that jobs other than batch took of late; as of `_share_at`
        self._share_at = clock()
        self._running: Job | None = None
        self._finishing = False
        self._abandoned = False
        self._changed = threading.Condition()

    @property
    def depth(self) -> int:
        """Jobs that wait, without the running one."""
        return len(self._waiting)

    @property
    def batch_depth(self) -> int:
        """Batch jobs among them."""
        return sum(job.batch for job in list(self._waiting))

    @property
    def running(self) -> Job | None:
        """The job that was taken and is not done."""
        return self._running

    def submit(
        self,
        work: Work,
        label: str,
        on_end: Callable[[Job], None],
        watch: Watch | None = None,
        *,
        deadline: float = math.inf,
        expected: float = 0.0,
        owner: str | None = None,
        batch: bool = False,
    ) -> Job:
        """Put work into the queue.

        Args:
            work: what to paint.
            label: what the log calls it; the request's id.
            on_end: called on whichever thread ends the job, just before those who wait for it wake up.
            watch: where to show the progress.
            deadline: when the answer has to be on its way, on this clock. The optimisation is ended in time for that.
            expected: seconds that it will probably take.
            owner: whose key it came with, if any.
            batch: whether it lets others go first.
        """
        job = Job(
            work,
            label,
            on_end,
            self._clock(),
            watch,
            deadline=deadline,
            expected=expected,
            owner=owner,
            batch=batch,
        )
        with self._changed:
            abandoned = self._abandoned
            if not abandoned:
                bisect.insort(self._waiting, job, key=self._due)
                self._changed.notify_all()
        if abandoned:
            job.end(error=EngineDiedError())
        return job

    def ahead_of(self, job: Job) -> int:
        """Jobs that come before this one, the running one included; 0 for one that runs or has ended."""
        with self._changed:
            if job not in self._waiting:
                return 0
            return self._waiting.index(job) + (self._running is not None)

    def seconds_before(self, job: Job) -> float:
        """Seconds of work that are expected before this one; 0 for one that runs or has ended."""
        with self._changed:
            now = self._clock()
            if job not in self._waiting:
                return 0.0
            before = self._inside()[: self._inside().index(job)]
            return self._until(self._due(job), before, now, batch=job.batch)

    def seconds_before_next(self, *, batch: bool = False) -> float:
        """Seconds of work that are expected before a job that would come now."""
        with self._changed:
            now = self._clock()
            due = now + self._patience if batch else now
            before = [job for job in self._inside() if job is self._running or self._due(job) <= due]
            return self._until(due, before, now, batch=batch)

    def outlook(self) -> list[tuple[Job, float]]:
        """The jobs in the order of their ends, each with the seconds until then that are expected from now on."""
        with self._changed:
            now = self._clock()
            ends = []
            before: list[Job] = []
            for job in self._inside():
                late = job.batch and job is not self._running
                end = self._until(self._due(job), before, now, batch=late) + job.remaining(now)
                ends.append((job, end))
                before.append(job)
            return sorted(ends, key=lambda each: each[1])

    def cancel(self, job: Job, reason: GivenUp = "client_gone") -> None:
        """Give a job up: at once where it waits, within one evaluation where it runs."""
        with self._changed:
            job.cancelled = job.cancelled or reason
            waiting = job in self._waiting
            if waiting:
                self._waiting.remove(job)
        if waiting:
            job.end(error=CancelledError())

    def finish(self) -> None:
        """Let the engine stop when nothing is left to do."""
        with self._changed:
            self._finishing = True
            self._changed.notify_all()

    # Below: for the engine.

    def take(self, beat: Callable[[], object]) -> Job | None:
        """Wait for the job to run now; None: there is nothing left to do, and it is to stop.

        Args:
            beat: called just before, and every second while there is nothing to do.
        """
        with self._changed:
            beat()
            while not self._waiting and not self._finishing:
                self._changed.wait(_IDLE_SECONDS)
                beat()
            self._running = self._waiting.pop(0) if self._waiting else None
            return self._running

    def done(self) -> None:
        """The running job is not worked on any more."""
        with self._changed:
            job, self._running = self._running, None
            if job and not job.batch and job.started is not None:
                now = self._clock()
                self._share = self._recent_share(now) + (now - job.started) / _REMEMBERED_SECONDS
                self._share_at = now

    def abandon(self) -> None:
        """End every job with EngineDiedError, and each that still comes, at once."""
        with self._changed:
            self._abandoned = True
            left = self._inside()
            self._waiting.clear()
        for job in left:
            job.end(error=EngineDiedError())

    def _due(self, job: Job) -> float:
        """When it came, as far as the order is concerned."""
        return job.submitted + self._patience if job.batch else job.submitted

    def _until(self, due: float, before: list[Job], now: float, *, batch: bool) -> float:
        """Seconds until a job's turn.

        While a batch job waits for w seconds, others keep coming as they did of late and take the
        share s of them; those that come after it is due do not count. So w = before + s min(w, due - now).
        """
        seconds = sum(job.remaining(now) for job in before)
        if not batch:
            return seconds
        share = self._recent_share(now)
        most = seconds + share * max(0.0, due - now)
        return min(most, seconds / (1 - share)) if share < 1 else most

    def _recent_share(self, now: float) -> float:
        return self._share * math.exp((self._share_at - now) / _REMEMBERED_SECONDS)

    def _inside(self) -> list[Job]:
        return ([self._running] if self._running else []) + list(self._waiting)
