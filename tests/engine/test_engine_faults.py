"""What the engine does when memory runs out, or the GPU fails."""

import gc
import weakref
from collections.abc import Generator

import pytest
import torch

from devtools.serving import WORK, FakeModel, Gate, wait_until
from service.engine.engine import EXIT_STOPS_MASTER, MOST_OUT_OF_MEMORY, Engine, State
from service.engine.jobs import EngineDiedError, Job, OutOfMemoryError
from service.monitoring.metrics import Metrics


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def exits() -> list[int]:
    return []


@pytest.fixture
def engine(model: FakeModel, exits: list[int]) -> Generator[Engine, None, None]:
    engine = Engine(lambda: model, Metrics(), terminate=exits.append, farewell=lambda: None)
    engine.start()
    wait_until(lambda: engine.state is State.READY)
    yield engine
    engine.stop()


def run(engine: Engine) -> Job:
    job = engine.queue.submit(WORK, "test", lambda _: None)
    assert job.wait(10)
    return job


def exhaust(number: int) -> None:
    if number == 2:
        raise torch.OutOfMemoryError("CUDA out of memory.")


def counted(engine: Engine, name: str, **labels: str) -> float | None:
    return engine._metrics.registry.get_sample_value(name, labels)


def test_after_running_out_of_memory_the_next_picture_works(engine: Engine, model: FakeModel) -> None:
    model.step = exhaust
    with pytest.raises(OutOfMemoryError):
        run(engine).result()
    assert engine.state is State.READY
    assert model.released == 1
    assert counted(engine, "stylize_oom_total") == 1
    assert counted(engine, "stylize_evaluations_discarded_total", reason="oom") == 1
    model.step = lambda _: None
    assert run(engine).succeeded


def test_what_the_picture_had_in_memory_is_free_before_its_client_is_told(
    engine: Engine, model: FakeModel
) -> None:
    class Large:
        """Stands for a tensor; refers to itself, as an optimiser's closures do."""

        def __init__(self) -> None:
            self.itself = self

    held: list[weakref.ref[Large]] = []

    def step(_: int) -> None:
        large = Large()
        held.append(weakref.ref(large))
        raise MemoryError

    freed: list[bool] = []
    model.step = step
    gc.disable()
    try:
        job = engine.queue.submit(WORK, "test", lambda _: freed.append(held[0]() is None))
        assert job.wait(10)
    finally:
        gc.enable()
    assert freed == [True]


def test_running_out_of_memory_now_and_then_is_no_reason_to_end(
    engine: Engine, model: FakeModel, exits: list[int]
) -> None:
    for _ in range(3):
        model.step = exhaust
        for _ in range(MOST_OUT_OF_MEMORY - 1):
            run(engine)
        model.step = lambda _: None
        assert run(engine).succeeded
    assert engine.state is State.READY
    assert not exits


def test_but_several_times_in_a_row_is(
    engine: Engine, model: FakeModel, exits: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    model.step = exhaust
    for _ in range(MOST_OUT_OF_MEMORY):
        with pytest.raises(OutOfMemoryError):
            run(engine).result()
    wait_until(lambda: exits == [EXIT_STOPS_MASTER])
    assert engine.state is State.DEAD
    assert not engine.alive
    assert "Out of memory 3 times in a row" in caplog.text


def test_when_the_gpu_fails_all_are_told_before_the_process_ends(model: FakeModel, exits: list[int]) -> None:
    told: list[bool] = []
    engine = Engine(
        lambda: model, Metrics(), terminate=exits.append, farewell=lambda: told.append(waiting.wait(0))
    )
    engine.start()
    gate = Gate()

    def step(number: int) -> None:
        gate(number)
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    model.step = step
    running = engine.queue.submit(WORK, "test", lambda _: None)
    waiting = engine.queue.submit(WORK, "test", lambda _: None)
    assert gate.reached.wait(10)
    gate.opened.set()
    wait_until(lambda: exits == [EXIT_STOPS_MASTER])
    assert told == [True]
    for job in (running, waiting, engine.queue.submit(WORK, "too late", lambda _: None)):
        with pytest.raises(EngineDiedError):
            job.result()
    assert model.released == 0  # each further call would fail
