"""How soon which loss is delivered: each precision against float32, the service against plain Gatys and its twin."""

import math
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import repeat
from typing import NamedTuple

import torch

from benchmarks.engine.device import GRAPHS_ROOM
from benchmarks.engine.methods import METHODS, Clock, Pair, full_size_objective
from service.model.painting import PaintingModel
from service.style import resample
from service.style.loss.objective import Objective
from service.style.network.precision import Precision, with_precision
from service.style.network.vgg import VGG
from service.style.optimiser.graphs import Graphs
from service.style.options import Options
from service.style.progress import Result
from service.style.work import Work

PARTS = (1000, 500, 400, 300, 250, 200, 100, 50, 20, 10, 5, 2)
"""Of the other's time: the service is given each in turn, until it delivers as low a loss."""

WARM = 2
"""Paintings of each form that are not counted: a shape is recorded when it comes again, at the latest."""

WITHIN = 0.02
"""How far the delivered loss of a precision may be from that of float32."""


class Painted(NamedTuple):
    """A picture, and where its time went.

    Attributes:
        preparation: seconds that its pictures took before: resizing, and copying into pinned memory. In the service
            another thread does it while the request waits, and no budget counts it.
        seconds: of the painting.
        result: the picture.
        steps: longest side of a scale, px -> seconds of each of its evaluations, with the optimiser's step. The
            first of them has the preparation of the scale in it.
    """

    preparation: float
    seconds: float
    result: Result
    steps: dict[int, list[float]]

    @property
    def evaluating(self) -> float:
        """Seconds of all evaluations, each scale's as long as the median of its own."""
        return sum(len(steps) * statistics.median(steps) for steps in self.steps.values())


class Loss(NamedTuple):
    """What comes of an arithmetic.

    Attributes:
        name: its own.
        reference: what it is compared with.
        ratios: of delivered losses to those of the reference, for each pair and seed.
    """

    name: Precision
    reference: Precision
    ratios: list[float]

    def __str__(self) -> str:
        mean = statistics.fmean(self.ratios)
        verdict = "within" if abs(mean - 1) <= WITHIN else "NOT within"
        return (
            f"delivered loss in {self.name}: {mean:.4f} of {self.reference}'s on average of {len(self.ratios)} "
            f"({min(self.ratios):.4f} to {max(self.ratios):.4f}), {verdict} {WITHIN:.0%}"
        )


class Reached(NamedTuple):
    """What the service needed for another method's loss.

    Attributes:
        method: plain, or boxed.
        size: px.
        recorded: whether the service replayed its evaluations as CUDA graphs.
        seconds, loss: of that method.
        ours: seconds of the service's first run that delivered as little; None where no run did.
        ratio: of that run's loss, or the last one's, to the other's.
        preparation: seconds before that run, or the last one, which are not among those of `ours`.
    """

    method: str
    size: int
    recorded: bool
    seconds: float
    loss: float
    ours: float | None
    ratio: float
    preparation: float

    def __str__(self) -> str:
        line = f"{self.method}: {self.seconds:.2f} s, delivers {self.loss:.4g}; "
        line += "as CUDA graphs " if self.recorded else ""
        if self.ours is None:
            line += "not reached in half of that time: "
        else:
            line += f"reached in {self.ours:.3f} s, 1/{self.seconds / self.ours:.0f}: "
        return f"{line}{self.ratio:.3f} of its loss; prepared before in {self.preparation * 1e3:.1f} ms"


def model_of(network: VGG) -> PaintingModel:
    """The service's own model of a network that is on its device, warmed up."""
    model = PaintingModel(network, "benchmark", "", "", network.device.type, torch.__version__)
    model.warm_up()
    return model


def models_of(network: VGG) -> dict[bool, PaintingModel]:
    """The service's own models without recordings (False) and, on a GPU, with them (True)."""
    model = model_of(network)
    models = {False: model}
    if network.device.type == "cuda":
        models[True] = replace(model, graphs=Graphs(GRAPHS_ROOM))
    return models


def paint(model: PaintingModel, pair: Pair, options: Options) -> Painted:
    """The picture of a pair, prepared first and painted then, as the service does."""
    began = time.perf_counter()
    work = model.prepared(Work(pair.photograph, [pair.artwork], options))
    preparation = time.perf_counter() - began
    painting = model.paint(work)
    steps: dict[int, list[float]] = {}
    evaluations = 0
    began = before = time.perf_counter()
    while True:
        try:
            progress = next(painting)
        except StopIteration as stop:
            return Painted(preparation, time.perf_counter() - began, stop.value, steps)
        now = time.perf_counter()
        if made := progress.evaluations - evaluations:
            steps.setdefault(max(progress.size), []).extend(repeat((now - before) / made, made))
            before, evaluations = now, progress.evaluations


def warm_up(model: PaintingModel, pair: Pair, options: Options) -> None:
    """Leave the model as a service is that has painted such pictures before, without a budget and with one.

    With a budget the last scale has room for a longer history, and so a recording of its own. How short the budget
    is makes no difference to it: this one never ends, and is given up after more evaluations than the default has.

    Args:
        model: to be warmed up.
        pair: to paint, on the CPU.
        options: of the picture, without a budget.
    """
    for _ in range(WARM):
        usual = paint(model, pair, options).result.evaluations
    for _ in range(WARM):
        work = Work(pair.photograph, [pair.artwork], replace(options, budget=math.inf))
        for progress in model.paint(model.prepared(work)):
            if progress.evaluations > usual:
                break


def delivered(objective: Objective, picture: torch.Tensor) -> float:
    """The loss of an 8-bit picture, uint8 (3, H, W), under an objective of its size."""
    device = objective.network.device
    return objective.losses(resample.dequantise(picture.to(device))).total


def precisions(
    network: VGG, pairs: Sequence[Pair], options: Options, names: Sequence[Precision], seeds: int
) -> Iterator[Loss]:
    """Each precision's delivered losses against those of the first one; all measured in float32.

    Args:
        network: in float32, on its device.
        pairs: to paint, on the CPU.
        options: of each picture; the seeds are 0, 1, ...
        names: the first is what the others are compared with.
        seeds: how many.
    """
    reference: list[float] = []
    for name in names:
        model = model_of(with_precision(network, name))
        pictures = [
            paint(model, pair, replace(options, seed=seed)).result.image
            for pair in pairs
            for seed in range(seeds)
        ]
        exact = with_precision(network, "fp32")  # the switch of the process too
        objectives = [full_size_objective(exact, pair, options) for pair in pairs for _ in range(seeds)]
        losses = [delivered(o, picture) for o, picture in zip(objectives, pictures, strict=True)]
        reference = reference or losses
        yield Loss(name, names[0], [a / b for a, b in zip(losses, reference, strict=True)])


def race(network: VGG, pair: Pair, options: Options, evaluations: int) -> Iterator[Reached]:
    """Plain Gatys, then its box-constrained twin, and what the service needs for their losses, x 1 and x 1.05.

    Args:
        network: in float32, on its device.
        pair: to paint, on the CPU.
        options: of the picture.
        evaluations: that the others get.
    """
    objective = full_size_objective(with_precision(network, "fp32"), pair, options)
    for method, slack in (("plain", 1.0), ("boxed", 1.05)):
        exact = with_precision(network, "fp32")
        for count in (2, evaluations):  # torch imports more when an optimiser is first used
            *_, last = METHODS[method](exact, pair, replace(options, iterations=count), Clock())
        if network.device.type == "cuda":
            torch.cuda.synchronize(network.device)
        loss = delivered(objective, resample.quantise(last.picture()))
        for recorded, model in models_of(with_precision(network, "auto")).items():
            warm_up(model, pair, options)
            for part in PARTS:
                painted = paint(model, pair, replace(options, budget=last.seconds / part))
                ratio = delivered(objective, painted.result.image) / loss
                if ratio <= slack:
                    break
            ours = painted.seconds if ratio <= slack else None
            yield Reached(
                method, options.size, recorded, last.seconds, loss, ours, ratio, painted.preparation
            )
