"""The ways to paint that are compared: ours, what the field ships, and what lies between.

Each method yields (seconds, evaluations, picture) after every evaluation, where the seconds are its own: whoever
measures a picture in between stops the clock.
"""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from service.style import resample
from service.style.inputs import Inputs
from service.style.loss.objective import Objective
from service.style.network.vgg import VGG
from service.style.optimiser.canvas import Canvas
from service.style.optimiser.canvas_objective import CanvasObjective
from service.style.optimiser.lbfgs import LBFGS
from service.style.options import Options
from service.style.progress import Progress, Result
from service.style.transfer import stylize


class Step(NamedTuple):
    """After an evaluation. `picture` makes the picture of that moment, float (1, 3, h, w), clamped by nobody."""

    seconds: float
    evaluations: int
    picture: Callable[[], Tensor]


class Clock:
    """Seconds, without those that the benchmark spends on measuring."""

    def __init__(self) -> None:
        self._away = 0.0

    def __call__(self) -> float:
        """Seconds since some moment."""
        return time.perf_counter() - self._away

    def leave_out(self, seconds: float) -> None:
        """Take back seconds that were not the method's."""
        self._away += seconds


class Pair(NamedTuple):
    """A photograph and an artwork, uint8 (3, H, W) each, on the CPU, where they are resized."""

    name: str
    photograph: Tensor
    artwork: Tensor


Method = Callable[[VGG, Pair, Options, Clock], Iterator[Step]]


def full_size_objective(network: VGG, pair: Pair, options: Options) -> Objective:
    """Eq. 7 at the size of the result."""
    size = resample.fit(pair.photograph.shape[-2], pair.photograph.shape[-1], options.size)
    inputs = Inputs(pair.photograph, [pair.artwork]).to(network.device)
    return inputs.objective(network, size, options)


def white_noise(pair: Pair, options: Options, device: torch.device) -> Tensor:
    """The paper's start, (1, 3, H, W), on the device of the network; the same numbers on every one."""
    size = resample.fit(pair.photograph.shape[-2], pair.photograph.shape[-1], options.size)
    noise = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(options.seed))
    return noise.to(device)


def ours(network: VGG, pair: Pair, options: Options, clock: Clock) -> Iterator[Step]:
    """The service's own: from the photograph, coarse to fine, in the box."""
    began = clock()
    run = stylize(network, pair.photograph, [pair.artwork], options, clock=clock)
    while True:
        try:
            progress: Progress = next(run)
        except StopIteration as stop:
            result: Result = stop.value
            image = resample.dequantise(result.image)
            yield Step(clock() - began, result.evaluations, image.clone)
            return
        preview = progress.preview
        yield Step(clock() - began, progress.evaluations, lambda p=preview: resample.dequantise(p()))  # type: ignore[misc]


def plain(network: VGG, pair: Pair, options: Options, clock: Clock) -> Iterator[Step]:
    """What the field ships: white noise, full size, torch.optim.LBFGS on free pixels, autograd, clamp at the end.

    The pixels are 0-255, as the field's are: on [0, 1], torch's first steps overflow with some artworks, and it
    never recovers.
    """
    began = clock()
    objective = full_size_objective(network, pair, options)
    pixels = (white_noise(pair, options, network.device) * 255).requires_grad_()
    optimiser = torch.optim.LBFGS(
        [pixels], lr=1, max_iter=1, max_eval=1, history_size=100, tolerance_grad=0, tolerance_change=0
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        responses = network(pixels / 255, [term.layer for term in objective.terms])
        loss = torch.stack(
            [term.loss_of(term.share(responses[term.layer])) for term in objective.terms]
        ).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    for evaluation in range(1, (options.iterations or 500) + 1):
        optimiser.step(closure)  # type: ignore[no-untyped-call]
        yield Step(clock() - began, evaluation, lambda: pixels.detach() / 255)


def boxed(network: VGG, pair: Pair, options: Options, clock: Clock) -> Iterator[Step]:
    """Plain Gatys' twin, pixels kept in [0, 1]: white noise, full size, our L-BFGS."""
    began = clock()
    objective = full_size_objective(network, pair, options)
    canvas = Canvas(white_noise(pair, options, network.device), smooth=False)
    optimiser = LBFGS(CanvasObjective(canvas, objective), canvas.origin(), history=100)
    for evaluation in range(1, (options.iterations or 500) + 1):
        optimiser.step()
        yield Step(clock() - began, evaluation, lambda: canvas.paint(optimiser.point))


def adam(network: VGG, pair: Pair, options: Options, clock: Clock) -> Iterator[Step]:
    """Adam 0.02, β (0.9, 0.99), clamped, its iterates averaged (0.99): from the photograph, at the full size."""
    began = clock()
    objective = full_size_objective(network, pair, options)
    size = resample.fit(pair.photograph.shape[-2], pair.photograph.shape[-1], options.size)
    x = resample.send(resample.lanczos(pair.photograph, size), network.device).requires_grad_()
    optimiser = torch.optim.Adam([x], lr=0.02, betas=(0.9, 0.99))
    average = torch.zeros_like(x)
    for evaluation in range(1, (options.iterations or 500) + 1):
        _, x.grad = objective.loss_and_gradient(x.detach())
        optimiser.step()
        with torch.no_grad():
            x.clamp_(0, 1)
            average.mul_(0.99).add_(x, alpha=0.01)
        yield Step(clock() - began, evaluation, (average / (1 - 0.99**evaluation)).clone)


METHODS: dict[str, Method] = {"ours": ours, "plain": plain, "boxed": boxed, "adam": adam}
