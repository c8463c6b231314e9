import threading
import weakref
from collections.abc import Generator
from dataclasses import replace

import pytest
import torch

from devtools.serving import WORK, Clock, FakeModel, Gate, wait_until
from service.engine.engine import EXIT_STOPS_MASTER, STUCK_SECONDS, Engine, State
from service.engine.jobs import CancelledError, Job, JobError, LoadError, Model
from service.engine.watch import Watch
from service.monitoring.metrics import Metrics
from service.style.progress import Progress, Result, finish
from service.style.work import Work


@pytest.fixture
def exits() -> list[int]:
    return []


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def engine(model: FakeModel, metrics: Metrics) -> Generator[Engine, None, None]:
    engine = Engine(lambda: model, metrics)
    engine.start()
    wait_until(lambda: engine.state is State.READY)
    yield engine
    engine.stop()


def submit(engine: Engine, ended: list[Job] | None = None) -> Job:
    return engine.queue.submit(WORK, "test", (ended if ended is not None else []).append)


def value(metrics: Metrics, name: str, **labels: str) -> float:
    found = metrics.registry.get_sample_value(name, labels)
    assert found is not None, f"there is no {name}"
    return found


def test_it_loads_then_warms_up_then_is_ready(metrics: Metrics) -> None:
    load, warm = Gate(), Gate()

    class Slow(FakeModel):
        def warm_up(self) -> None:
            warm(0)

    def loader() -> Model:
        load(0)
        return Slow()

    engine = Engine(loader, metrics)
    engine.start()
    assert load.reached.wait(10)
    assert value(metrics, "stylize_engine_state", state="loading") == 1
    load.opened.set()
    assert warm.reached.wait(10)
    assert value(metrics, "stylize_engine_state", state="warming") == 1
    warm.opened.set()
    wait_until(lambda: engine.state is State.READY)
    assert value(metrics, "stylize_engine_state", state="ready") == 1
    assert value(metrics, "stylize_engine_state", state="loading") == 0
    engine.stop()


def test_evaluations_that_are_told_of_together_count_and_last_as_if_each_had_been_told(
    metrics: Metrics,
) -> None:
    class ThreeAtOnce(FakeModel):
        def paint(self, work: Work) -> Generator[Progress, None, Result]:
            told: list[Progress] = []
            result = finish(super().paint(work), told.append)
            for progress in told[2::3]:
                clock.now += 6
                yield progress
            return result

    clock = Clock()
    engine = Engine(lambda: ThreeAtOnce(evaluations=9), metrics, clock=clock)
    engine.start()
    wait_until(lambda: engine.state is State.READY)
    assert submit(engine).wait(10)
    engine.stop()
    assert value(metrics, "stylize_evaluations_total") == 9
    assert value(metrics, "stylize_evaluation_duration_seconds_count") == 9
    assert value(metrics, "stylize_evaluation_duration_seconds_sum") == 18


def test_a_job_ends_with_its_picture(engine: Engine, metrics: Metrics) -> None:
    ended: list[Job] = []
    job = submit(engine, ended)
    assert job.wait(10)
    assert job.result().image.shape == (3, 32, 32)
    assert ended == [job]
    assert job.evaluations == 3
    assert value(metrics, "stylize_evaluations_total") == 3
    assert value(metrics, "stylize_engine_busy_seconds_total") == pytest.approx(job.busy_seconds)


def test_jobs_run_one_at_a_time_in_the_order_of_their_arrival(engine: Engine, model: FakeModel) -> None:
    running: list[int] = []

    def step(_: int) -> None:
        running.append(threading.get_ident())

    model.step = step
    ended: list[Job] = []
    jobs = [submit(engine, ended) for _ in range(5)]
    assert all(job.wait(10) for job in jobs)
    assert ended == jobs
    assert len(set(running)) == 1


def test_an_idle_engine_keeps_no_pictures(engine: Engine, model: FakeModel) -> None:
    picture = torch.zeros(3, 32, 32, dtype=torch.uint8)
    left = weakref.ref(picture)
    job = engine.queue.submit(replace(WORK, content=picture), "test", lambda _: None)
    assert job.wait(10)
    model.painted.clear()
    del job, picture
    wait_until(lambda: left() is None)


def test_a_watched_job_shows_each_evaluation_and_its_last_stays_without_tensors(engine: Engine) -> None:
    watch = Watch()
    job = engine.queue.submit(WORK, "test", lambda _: None, watch)
    assert job.wait(10)
    assert watch.latest is not None
    assert (watch.latest.evaluations, watch.latest.fraction) == (3, 1.0)
    assert not any(isinstance(value, torch.Tensor) for value in vars(watch.latest).values())


def test_a_running_job_is_given_up_at_its_next_evaluation(
    engine: Engine, model: FakeModel, metrics: Metrics
) -> None:
    gate = Gate()
    model.step = gate
    model.evaluations = 100
    job = submit(engine)
    assert gate.reached.wait(10)
    engine.queue.cancel(job)
    assert not job.wait(0.01)  # the evaluation that runs cannot be interrupted
    gate.opened.set()
    assert job.wait(10)
    with pytest.raises(CancelledError):
        job.result()
    assert job.evaluations == 1
    assert model.closed == 1
    assert value(metrics, "stylize_evaluations_discarded_total", reason="client_gone") == 1


def test_a_job_that_fails_says_nothing_internal_and_the_next_one_works(
    engine: Engine, model: FakeModel, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(number: int) -> None:
        if number == 2:
            raise RuntimeError("a secret of the inside")

    model.step = explode
    failing = submit(engine)
    assert failing.wait(10)
    with pytest.raises(JobError) as raised:
        failing.result()
    assert "secret" not in str(raised.value)
    assert "a secret of the inside" in caplog.text
    assert value(metrics, "stylize_evaluations_discarded_total", reason="error") == 1
    model.step = lambda _: None
    following = submit(engine)
    assert following.wait(10)
    assert following.succeeded


def test_a_network_that_cannot_be_loaded_ends_the_process_with_one_sentence(
    metrics: Metrics, exits: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    def loader() -> Model:
        raise LoadError("The weights are missing: run this.")

    engine = Engine(loader, metrics, terminate=exits.append)
    engine.start()
    wait_until(lambda: exits == [EXIT_STOPS_MASTER])
    assert engine.state is State.DEAD
    assert not engine.alive
    assert [record.getMessage() for record in caplog.records] == ["The weights are missing: run this."]
    assert caplog.records[0].exc_info is None


def test_an_unexpected_error_while_loading_is_logged_in_full_and_ends_the_process_too(
    metrics: Metrics, exits: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    def loader() -> Model:
        raise ZeroDivisionError

    Engine(loader, metrics, terminate=exits.append).start()
    wait_until(lambda: exits == [EXIT_STOPS_MASTER])
    assert "ZeroDivisionError" in caplog.text


def test_a_draining_engine_is_not_ready_but_finishes_what_it_has_and_gets(
    engine: Engine, model: FakeModel
) -> None:
    gate = Gate()
    model.step = gate
    job = submit(engine)
    assert gate.reached.wait(10)
    engine.drain()
    assert engine.state is State.DRAINING
    assert engine.alive
    last = submit(engine)
    gate.opened.set()
    assert job.wait(10)
    assert last.wait(10)
    assert job.succeeded
    assert last.succeeded


def test_stopping_finishes_the_jobs_that_are_there(model: FakeModel, metrics: Metrics) -> None:
    engine = Engine(lambda: model, metrics)
    engine.start()
    jobs = [submit(engine) for _ in range(3)]
    engine.stop()
    assert all(job.succeeded for job in jobs)


def test_being_idle_or_busy_is_alive_but_being_stuck_is_not(model: FakeModel, metrics: Metrics) -> None:
    clock = Clock()
    engine = Engine(lambda: model, metrics, clock=clock)
    engine.start()
    wait_until(lambda: engine.state is State.READY)
    clock.now += 10 * STUCK_SECONDS
    assert engine.alive  # idle
    gate = Gate()
    model.step = gate
    job = submit(engine)
    assert gate.reached.wait(10)
    clock.now += STUCK_SECONDS - 1
    assert engine.alive  # busy
    clock.now += 2
    assert not engine.alive
    assert engine.silence == STUCK_SECONDS + 1
    gate.opened.set()
    assert job.wait(10)
    assert engine.alive  # it was only slow
    engine.stop()


def test_an_engine_whose_evaluations_are_slow_may_be_silent_for_longer(
    model: FakeModel, metrics: Metrics
) -> None:
    clock = Clock()
    gate = Gate()

    def step(number: int) -> None:
        if number == 1:
            clock.now += STUCK_SECONDS
        else:
            gate(number)

    model.step = step
    engine = Engine(lambda: model, metrics, clock=clock)
    engine.start()
    job = submit(engine)
    assert gate.reached.wait(10)
    clock.now += 4 * STUCK_SECONDS
    assert engine.alive
    clock.now += 2 * STUCK_SECONDS
    assert not engine.alive
    gate.opened.set()
    assert job.wait(10)
    engine.stop()
