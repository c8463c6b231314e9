"""Style transfer: a photograph and artworks in, a picture out, as a generator that can be stopped anywhere."""

import math
import time
from collections.abc import Callable, Generator, Sequence

import torch
from torch import Tensor

from service.style import resample
from service.style.anchor import Anchor
from service.style.colour.palette import Palette
from service.style.copies import Copies
from service.style.inputs import Inputs
from service.style.loss.objective import Losses, Objective
from service.style.memory import prediction as memory
from service.style.network.vgg import VGG
from service.style.optimiser.burst import at_once
from service.style.optimiser.canvas import Canvas
from service.style.optimiser.canvas_objective import CanvasObjective
from service.style.optimiser.graphs import Graphs, pairs, recordable
from service.style.optimiser.lbfgs import LBFGS
from service.style.options import Depth, Options
from service.style.progress import Progress, Result, Stopped
from service.style.regions import Masks
from service.style.schedule import pyramid
from service.style.schedule.stopwatch import Costs, Stopwatch

PLATEAU_EVALUATIONS = 20
PLATEAU_DECREASE = 2e-3
"""Converged: these evaluations together lowered the loss by less than this fraction."""

NOISE = 0.02
"""Range of the white noise that init=noise starts from, around mid-grey: 5/255. It has to be faint: what the network
does not see of it stays in the picture however long one optimises, and average pooling does not see much. From noise
over the whole range the content reconstruction of conv2_1 keeps an error of 57/255 per pixel: see
docs/develop/algorithm.md."""

RECORDING_SECONDS = 1.0
"""That have to be left for a scale to be recorded: far more than it takes, but nobody knows how much that is."""

FORWARD = 0.4
"""What a forward pass costs, in evaluations: of the photograph and the artworks to prepare a scale, and of the result
to measure it."""


def result_size(height: int, width: int, longest: int) -> tuple[int, int]:
    """(height, width) of the result for a photograph of this size (of a texture: for an artwork).

    Raises:
        ValueError: the short side would be less than the network needs.
    """
    size = resample.fit(height, width, longest)
    if min(size) < resample.SMALLEST_SIDE:
        raise ValueError(
            f"a {width}x{height} px picture at size {longest} becomes {size[1]}x{size[0]} px, but the short side "
            f"has to keep {resample.SMALLEST_SIDE} px: ask for a larger size or crop it"
        )
    return size


def stylize(
    network: VGG,
    photograph: Tensor,
    artworks: Sequence[Tensor],
    options: Options,
    *,
    masks: Masks | None = None,
    start: Tensor | None = None,
    alpha: Tensor | None = None,
    anchor: Anchor | None = None,
    strength: Tensor | None = None,
    copies: Copies | None = None,
    clock: Callable[[], float] = time.monotonic,
    usual: Costs | None = None,
    memory_bound: int | None = None,
    graphs: Graphs | None = None,
) -> Generator[Progress, None, Result]:
    """Paint the photograph like the artworks.

    From noise, with `style_weight` 0 it is the content reconstruction of the paper's Figure 1, with `content_weight`
    0 the style reconstruction.

    It yields after every evaluation of loss and gradient (on a GPU, where they are short, after a few: see `burst`),
    which is the longest it runs without a break; close the generator to cancel. Its return value is the result.

    Args:
        network: the features; everything is computed on its device.
        photograph: uint8 (3, H, W), sRGB, of any size. Where `content_weight` is 0, it gives the result its shape
            (and its start, if `init` says so).
        artworks: each uint8 (3, h, w), sRGB, of any size; none are needed where `style_weight` is 0.
        options: what is wanted.
        masks: which parts are painted in which style; None: all of it, in that of all artworks.
        start: uint8 (3, h, w), sRGB: the picture to start from with `init` "image". It gets the photograph's aspect
            ratio.
        alpha: uint8 (1, H, W): how much of each pixel of the photograph is seen. What is hidden plays no part; the
            result is opaque. None: all is seen.
        anchor: what the result is held to where it is held, and starts from there; it goes with an `anchor_weight`.
        strength: uint8 (1, h, w): how strongly each part is painted, 255 as the options say; it goes with
            `local_strength`.
        copies: of these very tensors, prepared (`Inputs.prepare`); None: they are made when a scale begins.
        clock: seconds, monotonic.
        usual: what evaluations cost on this machine; with it a budget is spent better.
        memory_bound: bytes that this may take, beside what the process holds already. Where it would take more,
            responses are computed again in place of being kept.
        graphs: recordings of evaluations, of which some may serve and to which some may come; None: nothing is
            recorded. On a GPU only.

    Raises:
        ValueError: options or pictures that do not go together, or (DoesNotFitError) not into the memory.
        FloatingPointError: not even the start has a finite loss: the weights are broken.
    """
    if (options.init == "image") != (start is not None):
        raise ValueError("a picture to start from goes with init=image: give both or neither")
    if (options.anchor_weight > 0) != (anchor is not None):
        raise ValueError("an anchor goes with an anchor_weight above 0: give both or neither")
    if options.local_strength != (strength is not None):
        raise ValueError("a mask of strengths goes with local_strength: give both or neither")
    network = network_of(network, options)
    stopwatch = Stopwatch([options.budget, options.time_limit], clock, usual)
    inputs = Inputs(
        photograph,
        artworks,
        masks,
        start,
        copies or Copies(),
        alpha,
        anchor,
        strength,
        padding=options.padding,
    ).to(network.device)
    run = _Run(network, inputs, options, stopwatch, memory_bound)
    run.graphs = graphs
    memory.require(network, *inputs.sizes, options, memory_bound, inputs.regions)
    for stage in pyramid.plan(*run.size, options, stopwatch.cost):
        if not run.has_time_for(stage):
            run.stopped, run.cut_short = "budget", True
            break
        yield from run.paint(stage)
    return run.result()


def network_of(network: VGG, options: Options) -> VGG:
    """The same network as the options want it."""
    network = network.with_pooling(options.pooling)
    return network if options.tile == "none" else network.with_padding(options.padding)


def score(
    network: VGG,
    photograph: Tensor,
    artworks: Sequence[Tensor],
    picture: Tensor,
    options: Options,
    masks: Masks | None = None,
) -> Losses:
    """The paper's losses of a finished picture, whoever made it.

    With color "content-luminance" they are those of its luminance, as for a transfer.

    Args:
        network: the features.
        photograph: uint8 (3, h, w); resized to the picture's size.
        artworks: each uint8 (3, h, w); resized as for a transfer of the picture's size.
        picture: uint8 (3, H, W).
        options: layers, weights, pooling, style_scale, color; its size is not used.
        masks: which parts have which style; None: all of it has that of all artworks.

    Raises:
        ValueError: the picture is smaller than the network needs.
    """
    height, width = picture.shape[-2:]
    if min(height, width) < resample.SMALLEST_SIDE:
        raise ValueError(
            f"the picture is {width}x{height} px, but each side has to have {resample.SMALLEST_SIDE} px at least"
        )
    network = network_of(network, options)
    # As a start, so that the colours of the picture count where nothing else has any.
    inputs = Inputs(photograph, artworks, masks, picture, padding=options.padding).to(network.device)
    palette = inputs.palette((height, width), options)
    objective = inputs.objective(network, (height, width), options, palette=palette)
    return objective.losses(palette.seen(resample.dequantise(picture.to(network.device))))


class _Run:
    """One transfer: what is carried from scale to scale."""

    def __init__(
        self,
        network: VGG,
        inputs: Inputs,
        options: Options,
        stopwatch: Stopwatch,
        memory_bound: int | None,
    ) -> None:
        self.network = network
        self.inputs = inputs
        self.options = options
        self.stopwatch = stopwatch
        self.memory_bound = memory_bound
        self.size = result_size(inputs.photograph.shape[-2], inputs.photograph.shape[-1], options.size)
        self.evaluations = 0
        self.stopped: Stopped = "iterations"
        self.cut_short = False
        self.graphs: Graphs | None = None
        self.share = 0.0  # of the work, of the scales that are done
        self.picture: Tensor | None = None  # (1, C, h, w) in [0, 1], best of the last scale
        self.palette: Palette | None = None  # of that scale
        self.drawing: Tensor | None = None  # what that scale was to start from, as the palette sees it
        self.objective: Objective | None = None  # of that scale
        self.easel: tuple[Palette, Canvas, LBFGS] | None = None  # while a scale is painted

    def has_time_for(self, stage: pyramid.Stage) -> bool:
        """Whether a scale can be prepared and evaluated once. The first one always is: there must be an answer."""
        area = math.prod(self._scaled(stage.longest))
        return self.picture is None or self.stopwatch.fits(
            area, self._preparation(stage.longest) + 1, reserve=self._last_look(stage.longest)
        )

    def paint(self, stage: pyramid.Stage) -> Generator[Progress, None, None]:
        """Optimise one scale until its evaluations, its time or its descent are used up."""
        size = self._scaled(stage.longest)
        area = math.prod(size)
        self.objective = None  # its targets go before others come
        palette = self.inputs.palette(size, self.options)
        drawing = self.inputs.drawing(palette)
        self.objective = self._objective(stage, palette)
        smooth, free = self.options.init != "noise", self.inputs.free(size, self.options)
        canvas = Canvas(
            _kept(self._start(palette, drawing), palette, free),
            smooth=smooth,
            low=palette.low,
            high=palette.high,
            free=free,
            padding=self.options.padding,
        )
        varied = self.picture is None and self.options.init == "content"
        start = canvas.near_origin(self.options.seed) if varied else canvas.origin()
        anchor = self.objective.anchor
        optimiser = LBFGS(
            CanvasObjective(canvas, self.objective),
            start if anchor is None else start * (1 - anchor.held),  # what is held starts as the anchor
            history=pairs(self.network.device, palette.photograph.shape, stage.evaluations),
            recordable=self.graphs is not None and recordable(palette.photograph.shape),
        )
        if self.graphs is not None:
            may_record = self.stopwatch.fits(area, 0, reserve=RECORDING_SECONDS)
            optimiser = self.graphs.replaying(optimiser, may_record=may_record)
        self.easel = palette, canvas, optimiser
        trace: list[float] = []
        while True:
            began = self.stopwatch.seconds()
            losses = optimiser.step(self._at_once(area, stage, len(trace)))
            self.evaluations += len(losses)
            self.stopwatch.observe(area, (self.stopwatch.seconds() - began) / len(losses))
            if not math.isfinite(optimiser.loss):
                raise FloatingPointError("the very first loss is not a finite number: the weights are broken")
            trace += losses
            yield self._progress(stage, trace, size)
            if optimiser.stalled or (self._at_full_stop(area, len(trace)) and _plateau(trace)):
                self.stopped = "converged"
            elif stage.evaluations is not None and len(trace) >= stage.evaluations:
                self.stopped = "iterations"
            elif not self.stopwatch.fits(
                area,
                1 if len(trace) > 1 else 0,  # the first of a size is cold, and tells little about the second
                share=self.share + stage.share,
                reserve=self._last_look(stage.longest),
            ):
                self.stopped, self.cut_short = "budget", True
            else:
                continue
            break
        self.share += stage.share
        self.picture, self.palette, self.drawing = canvas.paint(optimiser.point), palette, drawing
        self.easel = None

    def result(self) -> Result:
        """The picture at its full size, and the losses of its very pixels."""
        if self.picture is None or self.palette is None:
            raise ValueError("iterations must be 1 at least")
        picture = self.picture
        # The time ended before the last scale, or a side that wraps was painted at another length.
        if picture.shape[-2:] != self.size:
            if picture.shape[-2:] != self._scaled(max(self.size)):
                self.stopped = "budget-too-small"
            self.objective = None
            self.palette = self.inputs.palette(self.size, self.options)
            free = self.inputs.free(self.size, self.options)
            picture = _kept(resample.enlarge(picture, self.size, self.options.padding), self.palette, free)
            self.objective = self.inputs.objective(
                self.network, self.size, self.options, palette=self.palette
            )
        assert self.objective is not None
        image = self._delivered(self.palette, picture, self.options.depth)
        return Result(
            image=image.cpu(),
            losses=self.objective.losses(self.palette.seen(resample.dequantise(image))),
            evaluations=self.evaluations,
            stopped=self.stopped,
            seconds=self.stopwatch.seconds(),
            cut_short=self.cut_short,
        )

    def _at_once(self, area: int, stage: pyramid.Stage, made: int) -> int:
        """How many evaluations come before the next progress, of this scale and after so many."""
        if not made:  # the first of a size is cold, and alone says what is wrong
            return 1
        usual = at_once(self.network.device, area)
        count = usual - (made - 1) % usual  # to where they would be if the time had always allowed for all
        if stage.evaluations is not None:
            count = min(count, stage.evaluations - made)
        while count > 1 and not self.stopwatch.fits(
            area, count, share=self.share + stage.share, reserve=self._last_look(stage.longest)
        ):
            count //= 2
        return count

    def _at_full_stop(self, area: int, made: int) -> bool:
        """Whether so many evaluations are whole bursts: only then it is asked whether a scale has converged.

        So the same request ends after the same evaluation, however often the clock was looked at.
        """
        return (made - 1) % at_once(self.network.device, area) == 0

    def _scaled(self, longest: int) -> tuple[int, int]:
        """(height, width) of a scale. Of the photograph's own shape, not the result's, which is rounded already."""
        height, width = self.inputs.photograph.shape[-2:]
        return self.options.painted_at(height, width, longest)

    def _start(self, palette: Palette, drawing: Tensor) -> Tensor:
        """What a scale begins with: what there is; else noise, or the drawing."""
        if self.picture is None or self.drawing is None:
            if self.options.init != "noise":
                return drawing
            # On the CPU, so that a seed means the same noise on every device.
            noise = torch.rand(drawing.shape, generator=torch.Generator().manual_seed(self.options.seed))
            faint = (0.5 + NOISE * (noise - 0.5)).to(drawing.device)
            return palette.low + (palette.high - palette.low) * faint
        size = (drawing.shape[-2], drawing.shape[-1])
        # The finest detail, which the coarser scale could not hold, comes from the drawing.
        padding = self.options.padding
        larger, drawn = (resample.enlarge(each, size, padding) for each in (self.picture, self.drawing))
        return larger + drawing - drawn

    def _last_look(self, longest: int) -> float:
        """Seconds to keep for the result: measuring it, and preparing that where the full size was not reached."""
        if longest == max(self.size):
            return self.stopwatch.estimate(math.prod(self.size), FORWARD)
        if not self.stopwatch.can_extrapolate:
            return 0.0  # the coarsest scale alone would overestimate the finest, and end everything at once
        return self.stopwatch.estimate(math.prod(self.size), FORWARD + self._preparation(max(self.size)))

    def _preparation(self, longest: int) -> float:
        """What preparing a scale costs, in evaluations of it: more artworks, or larger ones, cost more."""
        area = math.prod(self._scaled(longest))
        artworks = sum(math.prod(size) for size in self.inputs.artwork_sizes(longest, self.options))
        return FORWARD * (area + artworks) / area

    def _progress(
        self,
        stage: pyramid.Stage,
        trace: Sequence[float],
        size: tuple[int, int],
    ) -> Progress:
        worked = self.share + stage.share * (len(trace) / stage.evaluations if stage.evaluations else 0)
        fraction = min(1.0, max(worked, self.stopwatch.fraction()))
        seconds = self.stopwatch.seconds()
        return Progress(
            fraction=fraction,
            evaluations=self.evaluations,
            loss=trace[-1],
            seconds_left=seconds / fraction - seconds if fraction > 0 else math.inf,
            size=size,
            preview=self._preview,
        )

    def _preview(self) -> Tensor:
        """The best picture so far. No closure over this scale: who keeps a Progress would keep its history too."""
        if self.easel is None:
            raise RuntimeError("a preview has to be made before the next evaluation")
        palette, canvas, optimiser = self.easel
        return self._delivered(palette, canvas.paint(optimiser.point)).cpu()

    def _delivered(self, palette: Palette, x: Tensor, depth: Depth = 8) -> Tensor:
        """The picture of x in so many bits, laid over the photograph as opaquely as was asked for."""
        opacity = self.inputs.opacity((x.shape[-2], x.shape[-1]), self.options)
        if isinstance(opacity, Tensor) or opacity < 1:
            x = palette.photograph.lerp(x, opacity)
        return resample.quantise(palette.compose(x), depth)

    def _objective(self, stage: pyramid.Stage, palette: Palette) -> Objective:
        """Of one scale, recomputing what has to be to keep to the memory that there is."""
        scale = memory.at_scale(
            self.network,
            *self.inputs.sizes,
            self.options,
            stage,
            self.memory_bound,
            self.inputs.regions,
        )
        size = self._scaled(stage.longest)
        return self.inputs.objective(
            self.network, size, self.options, palette=palette, recomputed=scale.recomputed
        )


def _kept(picture: Tensor, palette: Palette, free: Tensor | None) -> Tensor:
    """The picture, (1, C, H, W), with the photograph where nothing is to be painted."""
    return picture if free is None else palette.photograph + free * (picture - palette.photograph)


def _plateau(trace: Sequence[float]) -> bool:
    if len(trace) <= PLATEAU_EVALUATIONS:
        return False
    return trace[-1 - PLATEAU_EVALUATIONS] - trace[-1] < PLATEAU_DECREASE * trace[-1]
