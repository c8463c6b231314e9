"""What a transfer does on the engine's thread besides its evaluations, with pictures resized there and beforehand.

    python -m benchmarks preparation [--size 256 --size 512 ...]

Milliseconds, medians. Transfers with the default options, cut to a few evaluations of each scale: everything outside
of the steps of the optimiser is done as often as in whole ones. "resizing" is the part of it that Pillow takes, and
the conversion before and after. Those with pictures resized beforehand take turns with those without.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import torch
from torch import Tensor

from service.images import decode
from service.style import resample
from service.style.copies import Copies
from service.style.inputs import Inputs
from service.style.network.vgg import VGG
from service.style.optimiser.lbfgs import LBFGS
from service.style.options import Options
from service.style.progress import finish
from service.style.schedule.pyramid import scales
from service.style.transfer import result_size, stylize
from service.weights import load

EVALUATIONS = 2
"""Of each scale."""


def kept(path: Path, longest: int) -> Tensor:
    """A picture as the service keeps it for a result of this size."""
    longest = resample.kept(longest)
    return resample.reduce(decode(path.read_bytes(), wanted=longest).rgb, longest)


@contextmanager
def timed(owner: object, name: str) -> Iterator[list[float]]:
    """The seconds of each call of a function, in here."""
    seconds: list[float] = []
    function = getattr(owner, name)

    def note(*arguments: object, **more: object) -> object:
        began = time.perf_counter()
        try:
            return function(*arguments, **more)
        finally:
            seconds.append(time.perf_counter() - began)

    setattr(owner, name, note)
    try:
        yield seconds
    finally:
        setattr(owner, name, function)


def measure(
    network: VGG, photograph: Tensor, artwork: Tensor, options: Options, *, before: bool
) -> tuple[float, float]:
    """Seconds of a transfer that are not evaluations, and those of them that are resizing."""
    copies = Copies()
    if before:
        Inputs(photograph, [artwork], copies=copies).prepare(options)
    with timed(LBFGS, "step") as steps, timed(resample, "lanczos") as resizing:
        began = time.perf_counter()
        finish(stylize(network, photograph, [artwork], options, copies=copies))
        seconds = time.perf_counter() - began
    return seconds - sum(steps), sum(resizing)


@click.command(help=__doc__)
@click.option("--size", "sizes", type=int, multiple=True, default=(256, 512), show_default=True)
@click.option("--rounds", default=9, show_default=True)
@click.option("--dtype", default="bfloat16", show_default=True)
@click.option("--photo", type=click.Path(path_type=Path), default="examples/photos/chelsea.jpg")
@click.option("--art", type=click.Path(path_type=Path), default="examples/styles/stained-glass.jpg")
@click.option("--weights", type=click.Path(path_type=Path), default="weights", show_default=True)
def main(sizes: tuple[int, ...], rounds: int, dtype: str, photo: Path, art: Path, weights: Path) -> None:
    network = load("vgg16", weights).network.with_dtype(getattr(torch, dtype))
    print(f"vgg16, {dtype}, {torch.get_num_threads()} threads, {rounds} rounds, ms")
    print(f"{'size':>5} {'on its thread':>13} {'(resizing)':>10} {'beforehand':>10} {'ratio':>6}", flush=True)
    for size in sizes:
        photograph, artwork = kept(photo, size), kept(art, size)
        height, width = result_size(photograph.shape[-2], photograph.shape[-1], size)
        count = EVALUATIONS * len(scales(height, width, "content"))
        options = Options(size=size, iterations=count)
        found: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
        for _ in range(rounds + 1):
            for before, seconds in found.items():
                seconds.append(measure(network, photograph, artwork, options, before=before))
        # The first round is cold.
        (there, resizing), (beforehand, _) = (
            [1000 * statistics.median(column) for column in zip(*found[before][1:], strict=True)]
            for before in (False, True)
        )
        print(
            f"{size:5d} {there:13.1f} {resizing:10.1f} {beforehand:10.1f} {beforehand / there:6.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
