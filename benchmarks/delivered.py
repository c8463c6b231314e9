"""How soon which loss is delivered: each precision against float32, the service against plain Gatys and its twin."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from benchmarks.methods import METHODS, Clock, Pair, full_size_objective
from service.jobs import Work
from service.model import PaintingModel
from service.style import resample
from service.style.objective import Objective
from service.style.options import Options
from service.style.precision import Precision, with_precision
from service.style.progress import Result
from service.style.vgg import VGG

PARTS = (1000, 500, 200, 100, 50, 20, 10, 5, 2)
"""Of the other's time: the service is given each in turn, until it delivers as low a loss."""


class Reached(NamedTuple):
    """What the service needed for another method's loss.

    Attributes:
        method: plain, or boxed.
        seconds, loss: of that method.
        ours: seconds of the service's first run that delivered as little; None where no run did.
        ratio: of that run's loss, or the last one's, to the other's.
    """

    method: str
    seconds: float
    loss: float
    ours: float | None
    ratio: float


def model_of(network: VGG) -> PaintingModel:
    """The service's own model of a network that is on its device, warmed up."""
    model = PaintingModel(
        network, "benchmark", "", "", network.device.type, torch.__version__, str(network.dtype)
    )
    model.warm_up()
    return model


def paint(model: PaintingModel, pair: Pair, options: Options) -> tuple[float, Result]:
    """Seconds, and the result."""
    steps = model.paint(Work(pair.photograph, [pair.artwork], options))
    began = time.perf_counter()
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: Result = stop.value
            return time.perf_counter() - began, result


def delivered(objective: Objective, picture: torch.Tensor) -> float:
    """The loss of an 8-bit picture, uint8 (3, H, W), under an objective of its size."""
    device = objective.network.device
    return objective.losses(resample.dequantise(picture.to(device))).total


def precisions(
    network: VGG, pairs: Sequence[Pair], options: Options, names: Sequence[Precision], seeds: int
) -> Iterator[tuple[Precision, list[float]]]:
    """Each precision's delivered losses, divided by those of the first one; all measured in float32.

    Args:
        network: in float32, on its device.
        pairs: to paint, on that device.
        options: of each picture; the seeds are 0, 1, ...
        names: the first is what the others are compared with.
        seeds: how many.
    """
    measured: dict[Precision, list[float]] = {}
    for name in names:
        model = model_of(with_precision(network, name))
        pictures = [
            paint(model, pair, replace(options, seed=seed))[1].image
            for pair in pairs
            for seed in range(seeds)
        ]
        exact = with_precision(network, "fp32")  # the switch of the process too
        objectives = [full_size_objective(exact, pair, options) for pair in pairs for _ in range(seeds)]
        measured[name] = [delivered(o, picture) for o, picture in zip(objectives, pictures, strict=True)]
        yield name, [a / b for a, b in zip(measured[name], measured[names[0]], strict=True)]


def race(network: VGG, pair: Pair, options: Options, evaluations: int) -> Iterator[Reached]:
    """Plain Gatys, then its box-constrained twin, and what the service needs for their losses, x 1 and x 1.05.

    Args:
        network: in float32, on its device.
        pair: to paint, on that device.
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
        model = model_of(with_precision(network, "auto"))
        ours, ratio = None, float("nan")
        for part in PARTS:
            seconds, result = paint(model, pair, replace(options, budget=last.seconds / part))
            ratio = delivered(objective, result.image) / loss
            if ratio <= slack:
                ours = seconds
                break
        yield Reached(method, last.seconds, loss, ours, ratio)
