"""The engine's jobs in the order of their arrival: one runs, the others wait."""

import itertools
import math
import threading
from collections import deque
from collections.abc import Callable

from service.engine.jobs import CancelledError, EngineDiedError, Job
from service.engine.watch import Watch
from service.problems import GivenUp
from service.style import Work

_IDLE_SECONDS = 1.0


class JobQueue:
    """Any thread puts jobs in, the engine's takes them out.

    Args:
        clock: monotonic seconds, which deadlines are on too.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._finishing = False
        self._abandoned = False
        self._changed = threading.Condition()

    @property
    def depth(self) -> int:
        """Jobs that wait, without the running one."""
        return len(self._waiting)

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
    ) -> Job:
        """Put work at the end of the queue.

        Args:
            work: what to paint.
            label: what the log calls it; the request's id.
            on_end: called on whichever thread ends the job, just before those who wait for it wake up.
            watch: where to show the progress.
            deadline: when the answer has to be on its way, on this clock. The optimisation is ended in time for that.
            expected: seconds that it will probably take.
            owner: whose key it came with, if any.
        """
        job = Job(
            work, label, on_end, self._clock(), watch, deadline=deadline, expected=expected, owner=owner
        )
        with self._changed:
            abandoned = self._abandoned
            if not abandoned:
                self._waiting.append(job)
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
        before = 0.0
        for other, end in self.outlook():
            if other is job:
                return before
            before = end
        return 0.0

    def outlook(self) -> list[tuple[Job, float]]:
        """The jobs in the order of their ends, each with the seconds until then that are expected from now on."""
        with self._changed:
            now = self._clock()
            jobs = self._inside()
            return list(zip(jobs, itertools.accumulate(job.remaining(now) for job in jobs), strict=True))

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
            self._running = self._waiting.popleft() if self._waiting else None
            return self._running

    def done(self) -> None:
        """The running job is not worked on any more."""
        with self._changed:
            self._running = None

    def abandon(self) -> None:
        """End every job with EngineDiedError, and each that still comes, at once."""
        with self._changed:
            self._abandoned = True
            left = self._inside()
            self._waiting.clear()
        for job in left:
            job.end(error=EngineDiedError())

    def _inside(self) -> list[Job]:
        return ([self._running] if self._running else []) + list(self._waiting)
