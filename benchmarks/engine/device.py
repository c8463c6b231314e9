"""What a device can do at best, and what an evaluation of loss and gradient takes of that."""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from service.style.inputs import Inputs
from service.style.loss.objective import Objective
from service.style.loss.terms import StyleTerm
from service.style.network.vgg import VGG
from service.style.optimiser.burst import at_once
from service.style.optimiser.canvas import Canvas
from service.style.optimiser.canvas_objective import CanvasObjective
from service.style.optimiser.graphs import Graphs
from service.style.optimiser.lbfgs import LBFGS
from service.style.options import Options

GROUPS = 5
"""Of runs. The median of theirs is what a run takes."""

LAUNCHES = 3
"""Evaluations that are launched without waiting, to see what the launching costs: few enough for a GPU's queue."""

GRAPHS_ROOM = 4 * 2**30
"""Bytes for recordings: enough for each size that is recorded."""

Run = Callable[[], object]


class Ceilings(NamedTuple):
    """What the device reaches on its best-tuned work.

    Attributes:
        products: dtype -> operations a second of a large matrix product; "tf32" too, on a GPU.
        copy: bytes a second, read and written.
    """

    products: dict[str, float]
    copy: float


class Cost(NamedTuple):
    """Of one evaluation.

    Attributes:
        seconds: back to back with others.
        launch: seconds that the host is busy with it.
        step: seconds with the optimiser's step around it, as many at once as in a transfer.
        operations: of its convolutions and Gram matrices.
        peak: bytes that were allocated at most; None where nobody counts them, as those of a recording's own.
        replayed: whether it was replayed, with the optimiser's step around it.
    """

    seconds: float
    launch: float
    step: float
    operations: float
    peak: int | None
    replayed: bool = False


def wait(device: torch.device) -> None:
    """Until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(run: Run, device: torch.device, within: float) -> float:
    """What a run takes, back to back with others; measured for about so many seconds, after two for warmth."""
    for _ in range(2):
        run()
    wait(device)
    once = _timed(run, 1, device)
    count = max(1, int(within / GROUPS / max(once, 1e-7)))
    return statistics.median(_timed(run, count, device) for _ in range(GROUPS)) / count


def launch_seconds(run: Run, device: torch.device) -> float:
    """What the host has to do for a run that has been warmed up; on a CPU that is all of it."""
    seconds = []
    for _ in range(GROUPS):
        wait(device)
        began = time.perf_counter()
        for _ in range(LAUNCHES):
            run()
        seconds.append((time.perf_counter() - began) / LAUNCHES)
        wait(device)
    return statistics.median(seconds)


def ceilings(device: torch.device, side: int, numbers: int, within: float) -> Ceilings:
    """Measure them: products of side x side matrices of random numbers, and a copy of so many float32 numbers."""
    products = {}
    for name, dtype in (("bf16", torch.bfloat16), ("tf32", torch.float32), ("fp32", torch.float32)):
        if name == "tf32" and device.type != "cuda":
            continue
        left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
        with _matrix_products("tf32" if name == "tf32" else "ieee"):
            products[name] = 2 * side**3 / seconds_of(lambda a=left, b=right: a @ b, device, within)  # type: ignore[misc]
    there = torch.randn(numbers, device=device)
    here = torch.empty_like(there)
    return Ceilings(products, 8 * numbers / seconds_of(lambda: here.copy_(there), device, within))


def objective_of(network: VGG, size: int) -> tuple[Objective, Tensor]:
    """The default objective of a square picture of random numbers, and that picture, (1, 3, size, size)."""
    random = torch.Generator().manual_seed(0)
    photograph, artwork = (
        torch.randint(0, 256, (3, size, size), dtype=torch.uint8, generator=random) for _ in range(2)
    )
    inputs = Inputs(photograph, [artwork]).to(network.device)
    objective = inputs.objective(network, (size, size), Options(size=size))
    return objective, photograph[None].to(network.device).float() / 255


def operations(objective: Objective, size: int) -> float:
    """Floating-point operations of an evaluation of a square picture: convolutions and Gram matrices, both ways."""
    total = 0.0
    for kernel, side in _convolutions(objective, size):
        total += 2 * 2 * kernel.numel() * side**2
    for term in objective.descended:
        if isinstance(term, StyleTerm):
            side = size >> VGG.poolings_before(term.layer)
            total += 2 * 2 * term.target.numel() * side**2
    return total


def evaluation(network: VGG, size: int, within: float, graphs: Graphs | None = None) -> Cost:
    """What an evaluation of a square picture costs; twice so many seconds long.

    If there are graphs, that of a step of the optimiser that is replayed: they record nothing less. Where it could
    not be recorded, that of an evaluation.
    """
    device = network.device
    objective, x = objective_of(network, size)
    canvas = Canvas(x, smooth=True)
    plain = optimiser = LBFGS(
        CanvasObjective(canvas, objective), canvas.origin(), recordable=graphs is not None
    )
    if graphs is not None:
        for _ in range(2):  # what comes again is recorded
            optimiser = graphs.replaying(plain)
    replayed = optimiser is not plain
    count = at_once(device, size**2)

    def alone() -> object:
        return objective.loss_and_gradient(x)

    evaluate: Run = optimiser.advance if replayed else alone

    def steps() -> None:
        for _ in range(count):
            optimiser.advance()
        optimiser.report().tolist()

    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    seconds = seconds_of(evaluate, device, within)
    launch = launch_seconds(evaluate, device)
    step = seconds_of(steps, device, within) / count
    counted = device.type == "cuda" and not replayed
    peak = torch.cuda.max_memory_allocated(device) if counted else None
    return Cost(seconds, launch, step, operations(objective, size), peak, replayed)


def peak(run: Run, device: torch.device) -> int | None:
    """Bytes that a run takes at most beside those that were allocated before; None where nobody counts them."""
    if device.type != "cuda":
        run()
        return None
    wait(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    run()
    wait(device)
    return torch.cuda.max_memory_allocated(device) - before


def scratch(network: VGG, size: int) -> int:
    """Bytes that a convolution of the first block takes at most beside its output, at a square picture of this size.

    It is the working space of cuDNN, which the model of memory knows nothing of.
    """
    most = 0
    for name in network.layers[:2]:
        for part in ("weight", "adjoint"):
            kernel = network.get_buffer(f"{name}_{part}")
            shape = (1, kernel.shape[1], size, size)
            picture = torch.zeros(shape, device=network.device, dtype=network.dtype)
            picture = picture.contiguous(memory_format=torch.channels_last)
            taken = peak(lambda p=picture, k=kernel: F.conv2d(p, k, padding=1), network.device)  # type: ignore[misc]
            most = max(most, (taken or 0) - kernel.shape[0] * size**2 * network.dtype.itemsize)
    return most


def _convolutions(objective: Objective, size: int) -> Iterator[tuple[Tensor, int]]:
    """The kernel of each convolution of an evaluation, and the side of the square that it works on."""
    network = objective.network
    deepest = max(network.layers.index(term.layer) for term in objective.descended)
    for name in itertools.islice(network.layers, deepest + 1):
        yield network.get_buffer(f"{name}_weight"), size >> network.poolings_before(name)


def _timed(run: Run, count: int, device: torch.device) -> float:
    began = time.perf_counter()
    for _ in range(count):
        run()
    wait(device)
    return time.perf_counter() - began


@contextmanager
def _matrix_products(precision: str) -> Iterator[None]:
    before = torch.backends.cuda.matmul.fp32_precision
    torch.backends.cuda.matmul.fp32_precision = precision
    try:
        yield
    finally:
        torch.backends.cuda.matmul.fp32_precision = before
