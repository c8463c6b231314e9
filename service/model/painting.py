"""The network that the engine paints with: which device, which weights, how many threads."""

import itertools
import logging
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace

import torch

from service.engine import Fault, LoadError
from service.intake import Bounds
from service.machine import free_for_pictures, free_for_requests, free_on_gpu, usable_cpus
from service.messages import sentence
from service.model.faults import fault_of
from service.model.warm_up import paint_shapes
from service.settings import Settings
from service.style import Copies, Inputs, Options, Progress, Result, Shapes, Work, kept, pinned, stylize
from service.style.memory import (
    DoesNotFitError,
    Need,
    amount,
    held,
    largest_square,
    require,
    require_room,
)
from service.style.network import VGG, with_precision
from service.style.optimiser import Graphs
from service.style.schedule import EVALUATIONS, Stopwatch, scales
from service.weights import WeightsError, load

log = logging.getLogger(__name__)

WARM_UP_SIZES = (64, 256)
"""Squares, in pixels: one where an evaluation's own cost shows, one where that of its pixels does."""

WARM_UP_EVALUATIONS = 3
"""Of each size. The first is cold, the fastest of the others says what they cost."""

GRAPHS_SHARE = 8
"""Of the memory that is there for painting, recordings may take this part, and no picture counts on it."""


@dataclass(frozen=True)
class PaintingModel:
    """`service.engine.engine.Model`, of the paper.

    Attributes:
        network: on its device.
        backbone: vgg16, vgg19 or custom.
        weights: first digits of the SHA-256 of their file.
        note: which weights, and how to get others; empty where there is nothing to say.
        device: cpu or cuda.
        torch: its version.
        memory: bytes that one picture's painting may take; None: not known.
        room: bytes of the host's memory for the pictures of each request, with their copies; None: not known.
        largest_size: whose painting fits, with the default options; None: no size does.
        graphs: recorded evaluations; None: none are recorded.
        costs: what an evaluation takes, by the picture's pixels; measured by `warm_up`.
        default_size: longest side of a picture for which none is asked for, in pixels.
        clock: monotonic seconds.
    """

    network: VGG
    backbone: str
    weights: str
    note: str
    device: str
    torch: str
    memory: int | None = None
    room: int | None = None
    largest_size: int | None = None
    graphs: Graphs | None = None
    costs: dict[int, float] = field(default_factory=dict)
    default_size: int = 256
    clock: Callable[[], float] = time.monotonic

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the network's layers."""
        return self.network.layers

    def expected_seconds(self, size: int) -> float | None:
        """Seconds that a picture with this longest side takes with the default options; None before the warm-up.

        The sides are 4:3. It is what the evaluations take; what is done once for each scale is not counted.
        """
        stopwatch = Stopwatch([], self.clock, self.costs)
        if not stopwatch.can_extrapolate:
            return None
        return sum(
            stopwatch.estimate(side * side * 3 // 4, EVALUATIONS)
            for side in scales(size * 3 // 4, size, "content")
        )

    def prepared(self, work: Work, look: Callable[[], object] = lambda: None) -> Work:
        """With its pictures at every size that they are used at; for a GPU, in pinned memory.

        Args:
            work: to be painted.
            look: called before each copy; what it raises ends the preparation.
        """
        copies = Copies(pinned if self.device == "cuda" else None)
        Inputs(
            work.content,
            work.styles,
            start=work.start,
            copies=copies,
            alpha=work.alpha,
            anchor=work.anchor,
            padding=work.options.padding,
        ).prepare(work.options, look)
        return replace(work, copies=copies)

    def paint(self, work: Work) -> Generator[Progress, None, Result]:
        """One step for each evaluation of loss and gradient, or for a few on a GPU (`style.optimiser.burst`)."""
        return stylize(
            self.network,
            work.content,
            work.styles,
            work.options,
            masks=work.masks,
            start=work.start,
            alpha=work.alpha,
            anchor=work.anchor,
            strength=work.strength,
            copies=work.copies,
            usual=self.costs,
            memory_bound=self.memory,
            graphs=self.graphs,
        )

    def need(self, shapes: Shapes) -> Need:
        """What the painting of pictures of these shapes takes.

        Raises:
            DoesNotFitError: more than there is.
        """
        return require(
            self.network, shapes.photograph, shapes.artworks, shapes.options, self.memory, shapes.regions
        )

    def require_memory(self, shapes: Shapes) -> None:
        """Raise DoesNotFitError where the painting takes more memory than there is."""
        self.need(shapes)

    def require_room(self, shapes: Shapes) -> None:
        """Raise DoesNotFitError where the pictures and their copies take more than there is for each request."""
        require_room(shapes.photograph, shapes.artworks, shapes.options, self.room, shapes.regions)

    def fault(self, error: BaseException) -> Fault | None:
        """Whether memory has run out, or the device has failed for good."""
        return fault_of(error)

    def release(self) -> None:
        """Give the GPU's memory that torch keeps for the next picture back to the driver, if that still answers."""
        if self.graphs is not None:
            self.graphs.clear()
        if self.device == "cuda":
            try:
                torch.cuda.empty_cache()
            except (
                RuntimeError
            ) as error:  # of a GPU that is lost: whoever is told so is told by what was painted
                log.warning("the GPU's memory is not given back: %r", str(error))

    def warm_up(self) -> None:
        """Paint pictures of nothing in particular, and note what an evaluation costs; on a GPU the usual shapes too.

        Raises:
            LoadError: there is not even the memory for those.
        """
        for size in WARM_UP_SIZES:
            picture = torch.randint(0, 256, (3, size, size), dtype=torch.uint8)
            options = Options(
                size=size, iterations=WARM_UP_EVALUATIONS, init="noise"
            )  # from noise: at this size alone
            try:
                moments = [
                    (self.clock(), progress.evaluations)
                    for progress in self.paint(Work(picture, [picture.flip(2)], options))
                ]
            except DoesNotFitError:
                raise LoadError(
                    f"There are {amount(self.memory or 0)} of memory for a picture, too little for one of {size} px: "
                    "give the process more, or say with STYLIZE_MEMORY that it may take more."
                ) from None
            self.costs[size**2] = min(
                (after - before) / (made - already)
                for (before, already), (after, made) in itertools.pairwise(moments)
            )
        if self.device == "cuda":
            paint_shapes(self.paint, self.default_size, self.clock)


def load_model(settings: Settings) -> PaintingModel:
    """Load the network that the settings ask for. The calling thread is the one that has to paint.

    Raises:
        LoadError: there is no such device, or the weights are missing or damaged.
    """
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise LoadError("STYLIZE_DEVICE is cuda, but there is no usable GPU: set it to cpu or auto.")
    device = settings.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    # OpenMP keeps this number for each thread, so it has to be set on the thread that computes.
    torch.set_num_threads(settings.threads or usable_cpus())
    try:
        loaded = load(settings.backbone, settings.weights_dir)
    except WeightsError as error:
        raise LoadError(sentence(error)) from None
    try:
        network = with_precision(loaded.network.to(device), settings.precision)
    except ValueError as error:
        raise LoadError(f"STYLIZE_PRECISION is {settings.precision}, but {error}.") from None
    memory, host = settings.memory, free_for_requests()
    if memory is None:
        memory = free_on_gpu() if device == "cuda" else host
    pictures = free_for_pictures(host, 0 if device == "cuda" else memory or 0)
    room = None if pictures is None else pictures // settings.places
    graphs = None
    if device == "cuda" and settings.cuda_graphs and memory is not None:
        graphs = Graphs(room=memory // GRAPHS_SHARE)
        memory -= memory // GRAPHS_SHARE
    bounds = Bounds.of_device(device, network.layers, max_size=settings.max_size)
    if room is not None:
        _require_room_for_usual(room, bounds.default_size)
    largest_size: int | None = bounds.max_size
    if memory is not None:
        largest_size = largest_square(network, memory, bounds.max_size, room)
    return PaintingModel(
        network=network,
        backbone=loaded.name,
        weights=loaded.sha256,
        note=loaded.note,
        device=device,
        torch=torch.__version__,
        memory=memory,
        room=room,
        largest_size=largest_size,
        graphs=graphs,
        default_size=bounds.default_size,
    )


def _require_room_for_usual(room: int, size: int) -> None:
    """Whether a request with the default options, and pictures as large as they are kept for it, may wait.

    Raises:
        LoadError: it may not.
    """
    usual = held((kept(size),) * 2, [(kept(size),) * 2], Options(size=size))
    if usual > room:
        raise LoadError(
            f"There are {amount(room)} of memory for the pictures of each request, and those of a usual one take "
            f"{amount(usual)}: lower STYLIZE_QUEUE_SIZE."
        )
