import math
import threading
from collections.abc import Generator
from dataclasses import replace

import pytest

from devtools.serving import WORK, Clock
from service.engine.jobs import CancelledError, DeadlineError, EngineDiedError, Job
from service.engine.queue import JobQueue
from service.style.copies import Copies


class Idle:
    """Waits for one job.

    Attributes:
        beaten: it has shown that it is alive.
    """

    def __init__(self, queue: JobQueue) -> None:
        self.beaten = threading.Event()
        self._taken: list[Job | None] = []
        self._thread = threading.Thread(
            target=lambda: self._taken.append(queue.take(self.beaten.set)), daemon=True
        )
        self._thread.start()

    def taken(self) -> Job | None:
        """What it has got."""
        self._thread.join(10)
        (job,) = self._taken
        return job


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> JobQueue:
    return JobQueue(clock)


def submit(queue: JobQueue, ended: list[Job] | None = None, *, expected: float = 0.0) -> Job:
    return queue.submit(WORK, "test", (ended if ended is not None else []).append, expected=expected)


def take(queue: JobQueue) -> Job | None:
    return queue.take(beat=lambda: None)


@pytest.fixture
def idle(queue: JobQueue) -> Generator[Idle, None, None]:
    """An engine's thread that has found nothing to do."""
    idle = Idle(queue)
    assert idle.beaten.wait(10)
    yield idle
    queue.finish()


def test_jobs_are_taken_in_the_order_of_their_arrival(queue: JobQueue) -> None:
    jobs = [submit(queue) for _ in range(3)]
    assert [take(queue) for _ in jobs] == jobs


def test_the_running_job_does_not_wait_and_is_there_until_it_is_done(queue: JobQueue) -> None:
    job = submit(queue)
    assert (queue.depth, queue.running) == (1, None)
    take(queue)
    assert (queue.depth, queue.running) == (0, job)
    queue.done()
    assert (queue.depth, queue.running) == (0, None)


def test_it_knows_how_many_come_before_a_job(queue: JobQueue) -> None:
    jobs = [submit(queue) for _ in range(3)]
    take(queue)
    assert [queue.ahead_of(job) for job in jobs] == [0, 1, 2]
    queue.cancel(jobs[1])
    assert queue.ahead_of(jobs[2]) == 1
    queue.done()
    assert queue.ahead_of(jobs[2]) == 0


def test_the_end_of_each_job_is_expected_after_what_is_left_of_those_before(
    queue: JobQueue, clock: Clock
) -> None:
    jobs = [submit(queue, expected=expected) for expected in (4, 2, 1)]
    take(queue)
    jobs[0].begin(clock(), after=0)
    clock.now += 3
    assert queue.outlook() == [(jobs[0], 1), (jobs[1], 3), (jobs[2], 4)]
    clock.now += 3
    assert queue.outlook() == [(jobs[0], 0), (jobs[1], 2), (jobs[2], 3)]  # late, but no one knows by how much


def test_a_waiting_job_is_given_up_at_once(queue: JobQueue) -> None:
    ended: list[Job] = []
    running, waiting = submit(queue), submit(queue, ended)
    take(queue)
    queue.cancel(waiting)
    assert ended == [waiting]
    with pytest.raises(CancelledError):
        waiting.result()
    assert queue.outlook() == [(running, 0)]


def test_a_running_job_that_is_given_up_is_only_marked_with_the_first_reason(queue: JobQueue) -> None:
    ended: list[Job] = []
    job = submit(queue, ended, expected=9)
    take(queue)
    queue.cancel(job, "deadline")
    queue.cancel(job)
    assert (ended, job.cancelled, queue.running) == ([], "deadline", job)
    assert queue.outlook() == [(job, 0)]  # the engine is about to see it


def test_giving_up_a_job_that_has_ended_changes_nothing(queue: JobQueue) -> None:
    ended: list[Job] = []
    job = submit(queue, ended)
    take(queue)
    queue.done()
    job.end(error=ZeroDivisionError())
    queue.cancel(job)
    with pytest.raises(ZeroDivisionError):
        job.result()
    assert ended == [job]


def test_who_waits_for_a_job_gets_it_when_it_comes(queue: JobQueue, idle: Idle) -> None:
    job = submit(queue)
    assert idle.taken() is job


def test_who_waits_for_a_job_shows_life_all_the_while(idle: Idle) -> None:
    idle.beaten.clear()
    assert idle.beaten.wait(10)


def test_after_the_last_job_there_is_none_where_it_is_to_finish(queue: JobQueue) -> None:
    job = submit(queue)
    queue.finish()
    assert take(queue) is job
    queue.done()
    assert take(queue) is None


def test_who_waits_for_a_job_goes_home_when_there_will_be_none(queue: JobQueue, idle: Idle) -> None:
    queue.finish()
    assert idle.taken() is None


def test_an_abandoned_queue_ends_what_it_has_and_what_still_comes(queue: JobQueue) -> None:
    ended: list[Job] = []
    jobs = [submit(queue, ended) for _ in range(2)]
    take(queue)
    queue.abandon()
    assert ended == jobs
    jobs.append(submit(queue, ended))
    assert ended == jobs
    for job in jobs:
        with pytest.raises(EngineDiedError):
            job.result()


@pytest.mark.parametrize("running", [False, True])
def test_a_job_that_has_ended_keeps_no_copies(queue: JobQueue, running: bool) -> None:
    job = queue.submit(replace(WORK, copies=Copies()), "test", lambda _: None)
    if running:
        assert take(queue) is job
        assert job.work.copies is not None
        job.end(error=DeadlineError())
    else:
        queue.cancel(job)
    assert job.work.copies is None
    assert job.work.content is WORK.content, "its cost is learned from its sizes"


class TestBatch:
    """Jobs that let others go first, for ten seconds here."""

    @pytest.fixture
    def queue(self, clock: Clock) -> JobQueue:
        return JobQueue(clock, patience=10)

    def batch(self, queue: JobQueue, expected: float = 0.0) -> Job:
        return queue.submit(WORK, "test", lambda _: None, expected=expected, batch=True)

    def busy(self, queue: JobQueue, clock: Clock, seconds: float) -> None:
        """The engine works so long for somebody else."""
        job = submit(queue)
        assert take(queue) is job
        job.begin(clock(), after=0)
        clock.now += seconds
        queue.done()

    def test_they_wait_behind_the_others(self, queue: JobQueue) -> None:
        first, second = self.batch(queue), self.batch(queue)
        others = [submit(queue), submit(queue)]
        assert [queue.ahead_of(job) for job in (*others, first, second)] == [0, 1, 2, 3]
        assert (queue.depth, queue.batch_depth) == (4, 2)
        assert [take(queue) for _ in range(4)] == [*others, first, second]

    def test_they_do_not_wait_behind_those_who_come_after_their_patience(
        self, queue: JobQueue, clock: Clock
    ) -> None:
        patient = self.batch(queue)
        clock.now += 9
        before = submit(queue)
        clock.now += 2
        after = submit(queue)
        assert [take(queue) for _ in range(3)] == [before, patient, after]

    def test_one_that_runs_is_not_interrupted(self, queue: JobQueue, clock: Clock) -> None:
        running = self.batch(queue, expected=4)
        take(queue)
        running.begin(clock(), after=0)
        clock.now += 1
        other = submit(queue, expected=2)
        assert (queue.ahead_of(other), queue.seconds_before(other)) == (1, 3)

    def test_others_do_not_count_on_waiting_for_them(self, queue: JobQueue, clock: Clock) -> None:
        patient = self.batch(queue, expected=5)
        assert (queue.seconds_before_next(), queue.seconds_before_next(batch=True)) == (0, 5)
        other = submit(queue, expected=2)
        assert (queue.seconds_before(other), queue.seconds_before(patient)) == (0, 2)
        assert queue.outlook() == [(other, 2), (patient, 7)]
        clock.now += 10
        assert queue.seconds_before_next() == 7

    def test_they_count_on_others_who_keep_coming_as_they_did_of_late(
        self, queue: JobQueue, clock: Clock
    ) -> None:
        self.busy(queue, clock, 30)  # of the last 60 s
        submit(queue, expected=4)
        patient = self.batch(queue)
        assert queue.seconds_before(patient) == pytest.approx(8)  # every other second is somebody else's
        clock.now += 8
        share = 0.5 * math.exp(-8 / 60)
        assert queue.seconds_before(patient) == pytest.approx(
            4 + 2 * share
        )  # for the two seconds until it is due
        clock.now += 2
        assert queue.seconds_before(patient) == 4

    def test_a_busy_engine_holds_them_up_for_their_patience_at_most(
        self, queue: JobQueue, clock: Clock
    ) -> None:
        self.busy(queue, clock, 90)
        submit(queue, expected=4)
        patient = self.batch(queue)
        assert queue.seconds_before(patient) == 4 + 10 * 1.5
