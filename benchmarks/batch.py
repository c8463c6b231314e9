"""Whether several small pictures evaluated as one batch are faster than one after the other.

    python -m benchmarks.batch [--size 64 --size 128 --size 256] [--batch 1 --batch 2 --batch 4 --batch 8]

The network forward to the deepest layer of the default request, and back to the pictures from content terms at its
layers: what a batch could share, and most of an evaluation. Gram matrices and optimisers would stay with each
picture. All batches of a size are measured in turns, so that whatever else the machine does disturbs all of them.
"""

import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import torch

from benchmarks.evaluation import timed
from service.machine.cpus import usable_cpus
from service.style.loss.evaluation import loss_and_gradient
from service.style.loss.terms import ContentTerm
from service.style.network.precision import fastest_dtype
from service.style.network.vgg import VGG
from service.weights import load

TAPS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv4_2")
"""Of the default request, without conv5_1, which the descent leaves out."""

WORTH = 1.2
"""Times as many evaluations a second, from which on a batch could be worth its price: each in it waits for all."""


def evaluation(network: VGG, size: int, batch: int) -> Callable[[], object]:
    """One of a batch of pictures of size x 3/4 size, to be timed."""
    random = torch.Generator().manual_seed(0)
    pictures = torch.rand(batch, 3, size * 3 // 4, size, generator=random).to(network.device)
    terms = [
        ContentTerm(name, 1e-3, torch.zeros_like(response))
        for name, response in network(pictures, TAPS).items()
    ]
    return partial(loss_and_gradient, network, pictures, terms)


def rates(network: VGG, size: int, batches: tuple[int, ...], rounds: int) -> list[float]:
    """Evaluations of one picture a second, by batch."""
    runs = [evaluation(network, size, batch) for batch in batches]
    seconds = [[timed(run, network.device) for run in runs] for _ in range(rounds + 1)][1:]
    return [
        batch / statistics.median(column)
        for batch, column in zip(batches, zip(*seconds, strict=True), strict=True)
    ]


@click.command(help=__doc__)
@click.option("--size", "sizes", type=int, multiple=True, default=(64, 128, 256), show_default=True)
@click.option("--batch", "batches", type=int, multiple=True, default=(1, 2, 4, 8), show_default=True)
@click.option("--rounds", default=15, show_default=True)
@click.option("--weights", default="weights", show_default=True)
@click.option("--backbone", default="vgg16", show_default=True)
def main(sizes: tuple[int, ...], batches: tuple[int, ...], rounds: int, weights: str, backbone: str) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(usable_cpus())
    network = load(backbone, Path(weights)).network.to(device).with_dtype(fastest_dtype(device))
    print(
        f"{backbone}, {device.type}, {network.dtype}, {torch.get_num_threads()} threads, medians of {rounds}"
    )
    print(
        f"{'size':>5} {'alone, a second':>16}" + "".join(f"{f'batch {batch}':>10}" for batch in batches[1:])
    )
    best = 0.0
    for size in sizes:
        alone, *batched = rates(network, size, batches, rounds)
        gains = [rate / alone for rate in batched]
        best = max([best, *gains])
        print(f"{size:5d} {alone:16.1f}" + "".join(f"{gain:9.2f}x" for gain in gains), flush=True)
    print(f"at most {best:.2f} times as many evaluations a second; worth it from {WORTH:g} on")


if __name__ == "__main__":
    main()
