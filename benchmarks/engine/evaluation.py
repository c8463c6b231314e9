"""Milliseconds of an evaluation of loss and gradient, beside those of its convolutions alone.

    python -m benchmarks evaluation [--size 256]

The convolutions are run on random data of the same shapes and dtype in channels_last: each forward, and each from its
output to its input, as a gradient goes; always by torch, while the evaluation takes Winograd's where the service
does.
"Plain" is the same evaluation with torch's convolutions alone. All are measured in turns, so that whatever else the
machine does disturbs all of them.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import click
import torch
import torch.nn.functional as F
from torch import Tensor

from service.style.inputs import Inputs
from service.style.loss.objective import Objective
from service.style.network.precision import fastest_dtype
from service.style.network.vgg import VGG
from service.style.optimiser.canvas import Canvas
from service.style.optimiser.canvas_objective import CanvasObjective
from service.style.optimiser.lbfgs import LBFGS
from service.style.options import Options
from service.weights import load

GOAL = 0.6
"""On a CPU in float32, from 256 px on."""


def convolutions(network: VGG, objective: Objective, x: Tensor) -> Callable[[], None]:
    """All convolutions of an evaluation at x, forward and to the input, and nothing else."""
    calls: list[tuple[Tensor, Tensor]] = []
    before: Tensor = x
    layers = [name for block in network.blocks(term.layer for term in objective.descended) for name in block]
    for name, response in network(x, layers).items():
        height, width = response.shape[-2:]
        incoming = torch.randn(1, before.shape[1], height, width)
        outgoing = torch.randn(response.shape)
        for picture, kernel in ((incoming, f"{name}_weight"), (outgoing, f"{name}_adjoint")):
            prepared = picture.to(x.device, network.dtype, memory_format=torch.channels_last)
            calls.append((prepared, network.get_buffer(kernel)))
        before = response

    def run() -> None:
        for picture, kernel in calls:
            F.conv2d(picture, kernel, padding=1)

    return run


def timed(run: Callable[[], object], device: torch.device) -> float:
    """Seconds of one run."""
    began = time.perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def measure(network: VGG, plain: VGG, size: int, rounds: int) -> list[float]:
    """Median seconds of an evaluation, a plain one, the convolutions, and a step of the optimiser."""
    random = torch.Generator().manual_seed(0)
    photograph, artwork = (
        torch.randint(0, 256, (3, size * 3 // 4, size), dtype=torch.uint8, generator=random) for _ in range(2)
    )
    x = (photograph[None].float() / 255).to(network.device)
    inputs = Inputs(photograph, [artwork]).to(network.device)
    objective, other = (
        inputs.objective(each, (x.shape[-2], x.shape[-1]), Options(size=size)) for each in (network, plain)
    )
    canvas = Canvas(x, smooth=True)
    optimiser = LBFGS(CanvasObjective(canvas, objective), canvas.origin())
    optimiser.step(20)  # a history to work on
    runs = (
        lambda: objective.loss_and_gradient(x),
        lambda: other.loss_and_gradient(x),
        convolutions(plain, objective, x),
        optimiser.step,
    )
    seconds = [[timed(run, network.device) for run in runs] for _ in range(rounds + 2)][2:]
    return [statistics.median(column) for column in zip(*seconds, strict=True)]


@click.command(help=__doc__)
@click.option("--size", "sizes", type=int, multiple=True, default=(64, 128, 256, 512), show_default=True)
@click.option("--rounds", default=15, show_default=True)
@click.option("--weights", default="weights", show_default=True)
@click.option("--backbone", default="vgg16", show_default=True)
def main(sizes: tuple[int, ...], rounds: int, weights: str, backbone: str) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = load(backbone, Path(weights)).network.to(device)
    print(f"{backbone}, {device.type}, {torch.get_num_threads()} threads, medians of {rounds}, milliseconds")
    print(
        f"{'dtype':10} {'size':>5} {'evaluation':>11} {'plain':>7} {'convolutions':>13} {'ratio':>6} "
        f"{'with optimiser':>15}"
    )
    for dtype in dict.fromkeys([torch.float32, fastest_dtype(device)]):
        for size in sizes:
            plain = network.with_dtype(dtype)
            whole, before, convolved, step = measure(plain.with_winograd(), plain, size, rounds)
            print(
                f"{str(dtype).removeprefix('torch.'):10} {size:5d} {whole * 1e3:11.1f} {before * 1e3:7.1f} "
                f"{convolved * 1e3:13.1f} {whole / convolved:6.2f} {step * 1e3:15.1f}",
                flush=True,
            )
    print(f"goal: a ratio of at most {GOAL}")


if __name__ == "__main__":
    main()
