"""The one thread that owns torch: it loads the network, then paints one request after the other."""

import gc
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum

from service.engine.cost import after
from service.engine.jobs import (
    CancelledError,
    DeadlineError,
    EngineDiedError,
    Fault,
    Job,
    JobError,
    LoadError,
    Model,
    OutOfMemoryError,
)
from service.engine.queue import PATIENCE_SECONDS, JobQueue
from service.monitoring import Metrics
from service.style import Result

log = logging.getLogger(__name__)

# gunicorn's master stops when a worker ends with this code; after any other it would start the next one,
# which would fail the same way, for ever.
EXIT_STOPS_MASTER = 4
# A running job may go this long, or five of its slowest evaluations, without progress before it counts as stuck.
STUCK_SECONDS = 30.0
MOST_OUT_OF_MEMORY = 3
"""So often in a row is no bad luck with a large picture: something keeps the memory, and only a new process helps."""
FAREWELL_SECONDS = 1.0
"""Before the process ends: for the answers of those who still waited."""


class _FatalError(Exception):
    """The engine can go on no more; the message is for the log."""


class State(StrEnum):
    """Of the engine, in the order of a life."""

    LOADING = "loading"
    WARMING = "warming"
    READY = "ready"
    DRAINING = "draining"
    DEAD = "dead"


_TOLD: Mapping[Fault | None, type[JobError]] = {
    None: JobError,
    "memory": OutOfMemoryError,
    "sticky": EngineDiedError,
}


def _exit(code: int) -> None:
    logging.shutdown()  # which writes what has been logged
    os._exit(code)


class Engine:
    """Serves jobs in the order of `JobQueue`, on one thread.

    Args:
        load: returns the model; called on the engine's thread. LoadError ends the process.
        metrics: where to count.
        clock: monotonic seconds.
        terminate: ends the process at once with an exit code.
        farewell: called just before, while answers may still be on their way.
        patience: seconds that a batch job lets others go first.

    Attributes:
        queue: of its jobs.
    """

    def __init__(
        self,
        load: Callable[[], Model],
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.monotonic,
        terminate: Callable[[int], object] = _exit,
        farewell: Callable[[], object] = lambda: time.sleep(FAREWELL_SECONDS),
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.queue = JobQueue(clock, patience)
        self._load = load
        self._metrics = metrics
        self._clock = clock
        self._terminate = terminate
        self._farewell = farewell
        self._state = State.LOADING
        self._draining = False
        self._model: Model | None = None
        self._heartbeat = clock()
        self._slowest = 0.0
        self._out_of_memory = 0  # jobs in a row
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        metrics.follow_state(State, lambda: self.state)
        metrics.queue_depth.set_function(lambda: self.queue.depth)
        metrics.batch_queue_depth.set_function(lambda: self.queue.batch_depth)
        metrics.heartbeat.set_function(lambda: time.time() - self.silence)

    def start(self) -> None:
        """Load the model and begin to serve; returns at once."""
        self._thread.start()

    def stop(self, seconds: float = 10.0) -> None:
        """Finish the jobs that are there, and end the thread."""
        self.queue.finish()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def drain(self) -> None:
        """Stop being ready; work is still taken. Takes no lock: it is called from a signal handler."""
        self._draining = True

    @property
    def state(self) -> State:
        """What the engine is doing."""
        return State.DRAINING if self._draining and self._state is not State.DEAD else self._state

    @property
    def serving(self) -> bool:
        """Whether work is taken. Draining does not end that: whoever still gets through was connected before."""
        return self._state is State.READY

    @property
    def model(self) -> Model:
        """The loaded model; there is one from the state ready on."""
        if self._model is None:
            raise RuntimeError("the model has not been loaded yet")
        return self._model

    @property
    def silence(self) -> float:
        """Seconds since the engine last made progress."""
        return self._clock() - self._heartbeat

    @property
    def alive(self) -> bool:
        """Whether the engine is making progress. Being busy, loading or idle is being alive."""
        if self._state is State.DEAD:
            return False
        return self.queue.running is None or self.silence < max(STUCK_SECONDS, 5 * self._slowest)

    def now(self) -> float:
        """Seconds on its clock, which deadlines are on too."""
        return self._clock()

    # Below: on the engine's thread.

    def _run(self) -> None:
        try:
            self._start_up()
            while (job := self.queue.take(self._beat)) is not None:
                self._serve(job)
                del job  # and its pictures, before it waits for the next one
        except (LoadError, _FatalError) as error:
            self._die(str(error))
        except Exception:
            log.exception("the engine ended unexpectedly")
            self._die("The engine ended unexpectedly: the process has to be started again.")

    def _start_up(self) -> None:
        begun = self._clock()
        self._model = self._load()
        loaded = self._clock()
        self._metrics.load_seconds.set(loaded - begun)
        self._metrics.built(
            backbone=self._model.backbone,
            weights=self._model.weights[:12],
            torch=self._model.torch,
            device=self._model.device,
        )
        note = f": {self._model.note}" if self._model.note else ""
        log.info("loaded %s on %s%s", self._model.backbone, self._model.device, note)
        self._state = State.WARMING
        self._model.warm_up()
        self._metrics.warmup_seconds.set(self._clock() - loaded)
        self._beat()
        self._state = State.READY
        log.info("ready after %.1f s", self._clock() - begun)

    def _serve(self, job: Job) -> None:
        result: Result | None = None
        error: Exception | None = None
        fault: Fault | None = None
        try:
            result = self._paint(job)
        except (CancelledError, DeadlineError) as ended:
            error = type(ended)()
        except Exception as failed:
            fault = self.model.fault(failed)
            if fault == "memory":
                # Its text, not itself: whoever keeps the record would keep the traceback.
                log.error("out of memory: %r", str(failed), extra={"request_id": job.label})
            else:
                log.exception("the optimisation failed", extra={"request_id": job.label})
            error = _TOLD[fault]()
        # From here on there is no exception any more, whose traceback would keep every tensor of its frames alive.
        if fault == "memory":
            self._recover()
        elif error is None:
            self._out_of_memory = 0
        self.queue.done()
        self._beat()
        if error is not None:
            reason = job.cancelled or ("oom" if fault == "memory" else "error")
            self._metrics.discarded.labels(reason).inc(job.evaluations)
        doomed = fault == "sticky" or self._out_of_memory >= MOST_OUT_OF_MEMORY
        if doomed:
            self._state = State.DEAD  # before the job's place is free, so that nobody else takes it
        job.end(result, error)
        if doomed:
            raise _FatalError(
                "The GPU has failed for good: the process has to be started again."
                if fault == "sticky"
                else f"Out of memory {self._out_of_memory} times in a row: the process has to be started again."
            )

    def _recover(self) -> None:
        """Make what a picture had in memory available to the next one."""
        self._out_of_memory += 1
        self._metrics.out_of_memory.inc()
        gc.collect()  # an exception's frames may refer to themselves
        self.model.release()

    def _paint(self, job: Job) -> Result:
        steps = self.model.paint(job.begin(self._clock(), after(job.work)))
        try:
            while True:
                if job.cancelled:
                    raise CancelledError
                begun = self._clock()
                try:
                    progress = next(steps)
                except StopIteration as stop:
                    result: Result = stop.value
                    self._count(job, result.evaluations, begun)
                    return result
                seconds = self._clock() - begun
                made = progress.evaluations - job.evaluations
                for _ in range(made):  # a GPU makes a few before it tells
                    self._metrics.evaluation_seconds.observe(seconds / made)
                self._slowest = max(self._slowest, seconds)
                if job.watch is not None:
                    job.watch.show(progress)
                self._count(job, progress.evaluations, begun)
        finally:
            steps.close()

    def _count(self, job: Job, evaluations: int, begun: float) -> None:
        self._metrics.evaluations.inc(evaluations - job.evaluations)
        job.evaluations = evaluations
        seconds = self._clock() - begun
        job.busy_seconds += seconds
        self._metrics.busy_seconds.inc(seconds)
        if job.owner is not None:
            self._metrics.key_engine_seconds.labels(job.owner).inc(seconds)
        self._beat()

    def _beat(self) -> None:
        self._heartbeat = self._clock()

    def _die(self, sentence: str) -> None:
        log.critical(sentence)
        self._state = State.DEAD
        self.queue.abandon()
        self._farewell()
        self._terminate(EXIT_STOPS_MASTER)
