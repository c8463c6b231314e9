"""A service with a model that paints nothing, for tests of everything around it."""

import io
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from flask import Flask
from PIL import Image
from torch import Tensor

from service.api.app import create_app
from service.api.context import service_of
from service.engine.engine import State
from service.engine.jobs import Fault, Model
from service.images.decoders import Pool
from service.model.faults import fault_of
from service.server.worker import Worker
from service.settings.settings import Settings
from service.style.loss.objective import Losses
from service.style.memory.prediction import DoesNotFitError, Need, require_room
from service.style.network.vgg import layer_names
from service.style.options import Options
from service.style.progress import Progress, Result
from service.style.transfer import result_size
from service.style.work import Shapes, Work

BREAKABLE = (sys.executable, str(Path(__file__).parent / "bad_child.py"))
"""A program for decoders that do to some files what broken codecs do."""

WORK = Work(torch.zeros(3, 32, 32, dtype=torch.uint8), [], Options(size=32))


@dataclass
class FakeModel:
    """Answers with the photograph's mean colour after `evaluations` steps.

    Attributes:
        evaluations: of each picture.
        seconds: that each of them takes. Where they take any, a budget goes before their number, and a time limit
            ends them, as with the real one.
        step: called at each of them: it may wait, or raise.
        remembers: whether it keeps what it is asked. Their pictures hold memory, and files that they are mapped from.
        painted: what was asked so far, if it remembers.
        closed: how many pictures were given up.
        cut_short: whether it says that the time ended it.
        previews: the threads that each preview was made on.
        prepare: called when work is prepared: it may wait, or raise.
        released: how often it was asked to give memory back.
    """

    evaluations: int = 3
    seconds: float = 0.0
    step: Callable[[int], None] = lambda _: None
    remembers: bool = True
    painted: list[Work] = field(default_factory=list)
    closed: int = 0
    cut_short: bool = False
    previews: list[str] = field(default_factory=list)
    prepare: Callable[[], object] = lambda: None
    released: int = 0
    backbone: str = "fake"
    note: str = "it only fills the picture with one colour"
    weights: str = "0123456789abcdef"
    device: str = "cpu"
    torch: str = torch.__version__
    layers: tuple[str, ...] = layer_names("vgg19")
    memory: int | None = None
    room: int | None = None
    largest_size: int | None = 1024

    def expected_seconds(self, size: int) -> float:
        return 6 * (size / 256) ** 2

    def need(self, shapes: Shapes) -> Need:
        size = shapes.options.size
        peak = 12 * size**2
        if self.memory is not None and peak > self.memory:
            raise DoesNotFitError(f"size {size} needs more than {self.memory} bytes: ask for less")
        return Need(peak, 0, 4)

    def require_memory(self, shapes: Shapes) -> None:
        self.need(shapes)

    def require_room(self, shapes: Shapes) -> None:
        require_room(shapes.photograph, shapes.artworks, shapes.options, self.room, shapes.regions)

    def prepared(self, work: Work, look: Callable[[], object] = lambda: None) -> Work:
        look()
        self.prepare()
        look()
        return work

    def paint(self, work: Work) -> Generator[Progress, None, Result]:
        if self.remembers:
            self.painted.append(work)
        height, width = result_size(work.content.shape[-2], work.content.shape[-1], work.options.size)
        image: Tensor = (
            work.content.float().mean((1, 2)).round().to(torch.uint8).view(3, 1, 1).repeat(1, height, width)
        )

        def preview(number: int) -> Tensor:
            self.previews.append(threading.current_thread().name)
            return (image.int() * number // evaluations).to(torch.uint8)  # ever lighter

        options = work.options
        limit = min(each for each in (options.budget, options.time_limit, math.inf) if each is not None)
        evaluations = self.evaluations
        if self.seconds and limit < math.inf:
            fitting = max(1, int(limit / self.seconds))
            evaluations = fitting if options.budget else min(fitting, evaluations)
        try:
            for number in range(1, evaluations + 1):
                time.sleep(self.seconds)
                self.step(number)
                left = math.inf if number == 1 else 1.5
                yield Progress(
                    number / evaluations,
                    number,
                    1.0 / number,
                    left,
                    (height, width),
                    partial(preview, number),
                )
        except GeneratorExit:
            self.closed += 1
            raise
        if options.depth == 16:
            image = (257 * image.int()).to(torch.uint16)
        losses = Losses(1.5, 2.5, 0.0, 4.0, {"content/conv4_2": 1.5, "style/conv1_1": 2.5})
        cut_short = self.cut_short or evaluations < self.evaluations
        return Result(image, losses, evaluations, "budget" if cut_short else "iterations", 0.1, cut_short)

    def fault(self, error: BaseException) -> Fault | None:
        return fault_of(error)

    def release(self) -> None:
        self.released += 1

    def warm_up(self) -> None:
        pass


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Gate:
    """Holds a model at each step until it is opened; knows when it has been reached."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, _: int) -> None:
        self.reached.set()
        assert self.opened.wait(30), "nobody opened the gate"


class Turnstile:
    """Lets a model through one step at a time."""

    def __init__(self) -> None:
        self._steps = threading.Semaphore(0)

    def __call__(self, _: int) -> None:
        assert self._steps.acquire(timeout=30), "nobody let it through"

    def let_through(self, steps: int = 1) -> None:
        self._steps.release(steps)


def settings(**changes: object) -> Settings:
    """Settings whatever the environment says, but for the precision that all tests have (`make test-avx2`)."""
    return Settings.model_validate({"precision": os.environ.get("STYLIZE_PRECISION", "auto")} | changes)


def started(model: Model, **changes: object) -> Flask:
    """The public application with an engine that is ready."""
    app = create_app(settings(**changes), lambda: model)
    service = service_of(app)
    service.engine.start()
    wait_until(lambda: service.engine.state is State.READY)
    return app


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Come back when the condition holds; fail when it does not within the time."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.005)):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError(f"it did not happen within {seconds} s")


def picture(width: int = 40, height: int = 30, color: str = "teal", image_format: str = "png") -> bytes:
    """Bytes of a picture's file."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), color).save(buffer, image_format)
    return buffer.getvalue()


def create_fake_app() -> Flask:
    """For gunicorn, told by the environment what its model does.

    A file at STEP_FILE holds the evaluations (`held_by`), one at LOAD_FILE the start. EVALUATIONS is how many a
    picture takes, and each of them takes EVALUATION_SECONDS. What a file at FAULT_FILE says is the message of a
    RuntimeError in the second evaluation; an empty one is a MemoryError. With BREAKABLE_DECODERS files
    can break those. While there is a file at LOOP_FILE, the loop of connections stands still.
    """
    if loop_file := os.environ.get("LOOP_FILE"):
        stand_still(Path(loop_file))
    step_file, load_file, fault_file = (
        Path(os.environ.get(name) or os.devnull) for name in ("STEP_FILE", "LOAD_FILE", "FAULT_FILE")
    )

    def step(number: int) -> None:
        held_by(step_file, number)
        if number == 2 and fault_file.is_file():
            message = fault_file.read_text()
            raise RuntimeError(message) if message else MemoryError

    def load() -> FakeModel:
        wait_until(lambda: not load_file.is_file(), 60)
        return FakeModel(
            evaluations=int(os.environ.get("EVALUATIONS", "3")),
            seconds=float(os.environ.get("EVALUATION_SECONDS", "0")),
            step=step,
            remembers=False,
        )

    decoders = Pool(program=BREAKABLE, seconds=1.0) if os.environ.get("BREAKABLE_DECODERS") else None
    return create_app(load=load, decoders=decoders)


def stand_still(loop_file: Path) -> None:
    """Let gunicorn's loop of connections wait, in this process, as long as there is this file."""
    turn = Worker.wait_for_and_dispatch_events

    def turn_later(worker: Worker, timeout: float | None) -> None:
        wait_until(lambda: not loop_file.exists(), 60)
        turn(worker, timeout)

    Worker.wait_for_and_dispatch_events = turn_later  # type: ignore[assignment, method-assign]


def held_by(step_file: Path, number: int) -> None:
    """Wait at an evaluation of this number, as long as a file says that fewer may be made (none where it is empty).

    Meanwhile there is another beside it: .held.
    """
    if number > _let_through(step_file):
        held = step_file.with_suffix(".held")
        held.touch()
        wait_until(lambda: number <= _let_through(step_file), 60)
        held.unlink()


def _let_through(step_file: Path) -> float:
    if not step_file.is_file():
        return math.inf
    with suppress(FileNotFoundError):
        return int(step_file.read_text() or 0)
    return math.inf
