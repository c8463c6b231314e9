from collections.abc import Generator

import pytest

from service.admission import FIRST_GUESS_SECONDS, Admission, NotReadyError, QueueFullError
from service.engine import Engine, State
from service.jobs import Job
from service.metrics import Metrics
from tests.serving import WORK, FakeModel, Gate, wait_until


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def admission(model: FakeModel) -> Generator[Admission, None, None]:
    engine = Engine(lambda: model, Metrics())
    engine.start()
    wait_until(lambda: engine.state is State.READY)
    yield Admission(engine, 3, jitter=lambda: 1.0)
    engine.stop()


def finished(busy_seconds: float) -> Job:
    """A job that came to a picture after so long."""
    job = Job(WORK, "test", lambda _: None, 0)
    job.busy_seconds = busy_seconds
    job.end(result=object())  # type: ignore[arg-type]
    return job


def learn(admission: Admission, busy_seconds: float) -> None:
    admission.admit()
    admission.leave(finished(busy_seconds))


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
    admission.engine.cancel(job)
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


def test_retry_after_is_what_the_queue_will_take(admission: Admission) -> None:
    learn(admission, 4.2)
    for _ in range(3):
        admission.admit()
    with pytest.raises(QueueFullError) as refusal:
        admission.admit()
    assert refusal.value.retry_after == 13  # 3 places times 4.2 s, rounded up


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
    admission.admit()
    admission.leave(cancelled)
    assert admission.service_seconds == 10


def test_those_who_are_refused_together_are_not_sent_back_together() -> None:
    engine = Engine(FakeModel, Metrics())
    admission = Admission(engine, 1)
    answers = set()
    for _ in range(50):
        with pytest.raises(NotReadyError) as refusal:
            admission.admit()
        answers.add(refusal.value.retry_after)
    assert answers <= {4, 5, 6}
    assert len(answers) > 1


def test_nobody_comes_in_before_the_engine_is_ready_or_while_it_drains(admission: Admission) -> None:
    loading = Admission(Engine(FakeModel, Metrics()), 3)
    with pytest.raises(NotReadyError) as refusal:
        loading.admit()
    assert refusal.value.state is State.LOADING
    assert refusal.value.retry_after >= 1
    admission.engine.drain()
    with pytest.raises(NotReadyError) as refusal:
        admission.admit()
    assert refusal.value.state is State.DRAINING
