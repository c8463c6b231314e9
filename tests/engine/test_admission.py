from collections.abc import Callable, Generator

import pytest
import torch

from devtools.serving import WORK, Clock, FakeModel, Gate, wait_until
from service.engine.admission import Admission
from service.engine.cost import FIRST_GUESS_SECONDS
from service.engine.engine import Engine, State
from service.engine.jobs import DeadlineError, Job
from service.engine.refusals import (
    BatchFullError,
    CannotMeetDeadlineError,
    KeyLimitError,
    NotReadyError,
    PlaceLostError,
    QueueFullError,
)
from service.monitoring.metrics import Metrics
from service.style.loss.objective import Losses
from service.style.options import Options
from service.style.progress import Result
from service.style.work import Work


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admission(model: FakeModel, clock: Clock) -> Generator[Admission, None, None]:
    engine = Engine(lambda: model, Metrics(), clock=clock)
    engine.start()
    wait_until(lambda: engine.state is State.READY)
    yield Admission(engine, 3, per_owner=2, jitter=lambda: 1.0)
    engine.stop()


@pytest.fixture
def gate(model: FakeModel) -> Generator[Gate, None, None]:
    """Holds every picture at its first evaluation until the test ends."""
    gate = Gate()
    model.step = gate
    yield gate
    gate.opened.set()


def work(**options: object) -> Work:
    return Work(WORK.content, [], Options(size=32, **options))  # type: ignore[arg-type]


def finished(busy_seconds: float, done: Work = WORK, *, cut_short: bool = False) -> Job:
    """A job that came to a picture after so long."""
    job = Job(done, "test", lambda _: None, 0)
    job.busy_seconds = busy_seconds
    losses = Losses(0, 0, 0, 0, {})
    job.end(result=Result(torch.zeros(3, 1, 1), losses, 1, "budget", busy_seconds, cut_short))
    return job


def learn(admission: Admission, busy_seconds: float, done: Work = WORK) -> None:
    admission.admit().leave(finished(busy_seconds, done))


def submit(admission: Admission, seconds: float | None = None, owner: str | None = None) -> Job:
    """A picture that is about to be painted, or waits."""
    with admission.admit(seconds, owner) as ticket:
        return ticket.submit(WORK, "test")


def running(admission: Admission, gate: Gate) -> Job:
    """A picture that is being painted."""
    job = submit(admission)
    assert gate.reached.wait(10)
    return job


def refused(attempt: Callable[[], object]) -> tuple[float, int]:
    """Seconds of work that come first, and Retry-After, of somebody whose deadline cannot be met."""
    with pytest.raises(CannotMeetDeadlineError) as refusal:
        attempt()
    return refusal.value.ahead, refusal.value.retry_after


def test_a_ticket_that_is_not_used_gives_its_place_back(admission: Admission) -> None:
    with admission.admit():
        assert admission.taken == 1
    assert admission.taken == 0


def test_so_does_one_whose_request_turns_out_to_be_wrong(admission: Admission) -> None:
    with pytest.raises(KeyError), admission.admit():
        raise KeyError
    assert admission.taken == 0


def test_the_place_of_a_submitted_job_is_taken_until_the_engine_has_ended_it(
    admission: Admission, model: FakeModel
) -> None:
    gate = Gate()
    model.step = gate
    with admission.admit() as ticket:
        job = ticket.submit(WORK, "test")
    assert gate.reached.wait(10)
    admission.engine.queue.cancel(job)
    assert admission.taken == 1  # nobody waits any more, but the engine is still at it
    gate.opened.set()
    assert job.wait(10)
    assert admission.taken == 0


def test_the_place_of_a_job_that_fails_is_free_again(admission: Admission, model: FakeModel) -> None:
    def explode(_: int) -> None:
        raise RuntimeError

    model.step = explode
    with admission.admit() as ticket:
        job = ticket.submit(WORK, "test")
    assert job.wait(10)
    assert admission.taken == 0


def test_one_more_than_there_are_places_is_refused(admission: Admission) -> None:
    tickets = [admission.admit() for _ in range(3)]
    with pytest.raises(QueueFullError) as refusal:
        admission.admit()
    assert refusal.value.places == 3
    tickets[0].__exit__(None, None, None)
    with admission.admit():
        assert admission.taken == 3


def test_retry_after_is_when_the_next_place_comes_free(
    admission: Admission, gate: Gate, clock: Clock
) -> None:
    learn(admission, 4.2)
    running(admission, gate)
    submit(admission)
    admission.admit()
    with pytest.raises(QueueFullError) as refusal:
        admission.admit()
    assert refusal.value.retry_after == 5  # 4.2 s, rounded up
    clock.now += 2.0
    with pytest.raises(QueueFullError) as refusal:
        admission.admit()
    assert refusal.value.retry_after == 3  # what is left of the running one, not a whole one
    clock.now += 10.0
    with pytest.raises(QueueFullError) as refusal:
        admission.admit()
    assert refusal.value.retry_after == 1  # it takes longer than was thought: any moment now


def test_while_all_are_still_uploading_it_is_a_whole_picture(admission: Admission) -> None:
    learn(admission, 4.2)
    for _ in range(3):
        admission.admit()
    with pytest.raises(QueueFullError) as refusal:
        admission.admit()
    assert refusal.value.retry_after == 5


def test_before_anything_has_been_measured_it_is_a_guess(admission: Admission) -> None:
    assert admission.service_seconds == FIRST_GUESS_SECONDS


def test_service_time_is_a_moving_average_of_the_pictures_that_came_out(admission: Admission) -> None:
    learn(admission, 10)
    learn(admission, 20)
    assert admission.service_seconds == pytest.approx(12)


def test_jobs_that_were_given_up_say_nothing_about_service_time(admission: Admission) -> None:
    learn(admission, 10)
    cancelled = Job(WORK, "test", lambda _: None, 0)
    cancelled.end(error=RuntimeError())
    admission.admit().leave(cancelled)
    assert admission.service_seconds == 10


def test_jobs_that_their_deadline_ended_say_little(admission: Admission) -> None:
    learn(admission, 10)
    for seconds in (4, 20):
        job = finished(seconds, cut_short=True)
        job.shortened = True
        admission.admit().leave(job)
    assert admission.service_seconds == pytest.approx(12)  # of 4 s, only that it takes longer


def test_a_place_whose_wait_is_longer_than_the_deadline_is_refused_at_the_door(
    admission: Admission, gate: Gate
) -> None:
    learn(admission, 10)
    running(admission, gate)
    submit(admission)
    assert refused(lambda: admission.admit(19)) == (20, 11)  # 20 s of others, 9.5 s (half of 19 s) of its own
    assert admission.taken == 2
    admission.admit(21)


def test_with_its_body_known_a_request_is_refused_that_would_not_be_done_in_time(
    admission: Admission, gate: Gate, clock: Clock
) -> None:
    learn(admission, 10)
    running(admission, gate)
    clock.now += 4.0
    with admission.admit(11) as ticket:  # 6 s of others, and 5.5 s (half of 11 s) of its own
        assert refused(lambda: ticket.submit(work(), "test")) == (6, 1)
    assert admission.taken == 1
    with admission.admit(12) as ticket:
        ticket.submit(work(), "test")


def test_an_idle_engine_refuses_nobody_for_their_deadline(admission: Admission, model: FakeModel) -> None:
    learn(admission, 10)
    job = submit(admission, seconds=2)
    assert job.wait(10)
    assert job.succeeded
    assert model.painted[0].options.time_limit == pytest.approx(2 - 0.1, abs=0.01)


def test_what_a_request_asks_for_counts_not_what_others_did(admission: Admission, gate: Gate) -> None:
    learn(admission, 10)
    running(admission, gate)
    with admission.admit(11) as ticket:
        ticket.submit(work(budget=0.5), "test")
    with admission.admit(11) as ticket:
        assert refused(lambda: ticket.submit(work(budget=2), "test")) == (10.5, 2)


def test_the_deadline_shortens_the_time_of_a_job_and_never_lengthens_it(
    admission: Admission, model: FakeModel
) -> None:
    for seconds, limit in ((8.0, 5.0), (3.0, 2.9)):
        with admission.admit(seconds) as ticket:
            assert ticket.submit(work(time_limit=5.0), "test").wait(10)
        assert model.painted[-1].options.time_limit == pytest.approx(limit, abs=0.01)


def test_a_job_whose_deadline_passes_while_it_waits_is_not_begun(
    admission: Admission, model: FakeModel, gate: Gate, clock: Clock
) -> None:
    first = running(admission, gate)
    late = submit(admission, seconds=20)
    clock.now += 21.0
    gate.opened.set()
    assert late.wait(10)
    with pytest.raises(DeadlineError):
        late.result()
    assert first.wait(0)
    assert len(model.painted) == 1
    assert admission.taken == 0


def test_the_owner_of_a_key_has_no_more_places_than_one_may_have(
    admission: Admission, gate: Gate, clock: Clock
) -> None:
    learn(admission, 4)
    running(admission, gate)
    job = submit(admission, owner="shop")
    admission.admit(owner="shop")
    with pytest.raises(KeyLimitError) as refusal:
        admission.admit(owner="shop")
    assert (refusal.value.places, refusal.value.retry_after) == (
        2,
        8,
    )  # after the other's and its own first one
    admission.engine.queue.cancel(job)
    with admission.admit(owner="phone"):
        assert admission.taken == 3
    admission.admit(owner="shop")


def test_those_who_are_refused_together_are_not_sent_back_together() -> None:
    engine = Engine(FakeModel, Metrics())
    admission = Admission(engine, 1)
    answers = set()
    for _ in range(50):
        with pytest.raises(NotReadyError) as refusal:
            admission.admit()
        answers.add(refusal.value.retry_after)
    assert answers <= {5, 6}
    assert len(answers) > 1


def test_nobody_comes_in_before_the_engine_is_ready() -> None:
    loading = Admission(Engine(FakeModel, Metrics()), 3)
    with pytest.raises(NotReadyError) as refusal:
        loading.admit()
    assert refusal.value.state is State.LOADING
    assert refusal.value.retry_after >= 1
    loading.engine.drain()
    with pytest.raises(NotReadyError) as refusal:
        loading.admit()
    assert refusal.value.state is State.DRAINING


def test_while_it_drains_those_who_are_connected_still_come_in(admission: Admission) -> None:
    admission.engine.drain()
    with admission.admit() as ticket:
        job = ticket.submit(WORK, "test")
    assert job.wait(20)
    assert job.succeeded


class SlowUpload:
    """As slow as it is told."""

    def __init__(self, *, crawls: bool) -> None:
        self.crawls = crawls
        self.given_up = False

    def give_up(self) -> None:
        self.given_up = True


def test_an_upload_that_crawls_loses_its_place_to_who_would_be_refused(admission: Admission) -> None:
    uploads = [SlowUpload(crawls=False), SlowUpload(crawls=True), SlowUpload(crawls=True)]
    tickets = [admission.admit() for _ in uploads]
    slow = tickets[1].receiving(uploads[1])
    others = [tickets[0].receiving(uploads[0]), tickets[2].receiving(uploads[2])]
    for each in (*others, slow):
        each.__enter__()
    others[1].__exit__(None, None, None)  # it has arrived, however slowly
    newcomer = admission.admit()
    assert [upload.given_up for upload in uploads] == [False, True, False]
    with pytest.raises(PlaceLostError):
        slow.__exit__(None, None, None)
    assert admission.taken == 3
    with pytest.raises(QueueFullError):
        admission.admit()
    others[0].__exit__(None, None, None)
    for ticket in (*tickets, newcomer):
        ticket.__exit__(None, None, None)
    assert admission.taken == 0


def test_an_upload_that_crawls_keeps_its_place_while_there_are_others(admission: Admission) -> None:
    upload = SlowUpload(crawls=True)
    with admission.admit() as ticket, ticket.receiving(upload):
        with admission.admit():
            pass
        assert not upload.given_up


def test_the_owner_of_a_lost_place_may_take_another(admission: Admission) -> None:
    tickets = [admission.admit(owner="phone"), admission.admit(owner="phone"), admission.admit(owner="shop")]
    slow = tickets[0].receiving(SlowUpload(crawls=True))
    slow.__enter__()
    admission.admit(owner="shop")
    with pytest.raises(PlaceLostError), tickets[0]:
        slow.__exit__(None, None, None)
    tickets[1].leave()
    admission.admit(owner="phone")
    assert admission.taken == 3


def test_batch_keys_leave_half_of_the_places_to_the_others(admission: Admission, gate: Gate) -> None:
    learn(admission, 6)
    with admission.admit(batch=True) as first:  # of three places, half are one
        first.submit(WORK, "test")
        with pytest.raises(BatchFullError) as refusal:
            admission.admit(batch=True)
        assert (refusal.value.places, refusal.value.retry_after) == (1, 6)
        with admission.admit(), admission.admit(), pytest.raises(QueueFullError):
            admission.admit()
    gate.opened.set()
    wait_until(lambda: admission.taken == 0)
    admission.admit(batch=True)


def test_a_single_place_is_for_batch_keys_too(admission: Admission) -> None:
    assert Admission(admission.engine, 1).batch_places == 1


def test_a_deadline_is_held_against_what_really_comes_first(
    admission: Admission, gate: Gate, clock: Clock
) -> None:
    learn(admission, 6)
    running(admission, gate)
    with admission.admit(batch=True) as ticket:
        ticket.submit(WORK, "test")
        with admission.admit(13) as other:  # 6 s of work come first; with the batch job's it would be 12
            other.submit(WORK, "test")
