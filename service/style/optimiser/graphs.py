"""Steps of the optimiser, recorded once and replayed, so that a GPU need not wait for the host to launch them.

A step is some 300 operations, which the host launches one by one; of small pictures the GPU has done them sooner
than they are launched. A CUDA graph launches all of them at once. It works on the very memory that it was recorded
with, so a recording has tensors of its own, a copy of all that the optimiser works on: the point, its history, the
canvas, the targets. Those of another request are copied into them: what was recorded for one serves all that look
like it.
"""

import copy
import logging
import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from service.style.network.vgg import VGG
from service.style.optimiser.lbfgs import LBFGS, most_pairs
from service.style.schedule.pyramid import EVALUATIONS

log = logging.getLogger(__name__)

LARGEST = 2**20
"""Pixels of a picture above which nothing is recorded: there the launching takes less time than the kernels."""

TOLERANCE = 1e-2
"""By which, relatively, replays may differ from the steps without them; else they are not to be trusted."""

REMEMBERED = 256
"""Optimisers, of which none was recorded, that are known when they come again."""

REHEARSALS = 3
"""Steps before one is recorded: what libraries do at their first call must not be recorded. They are what the first
replays are compared with, and with three of them the history counts."""


def recordable(shape: Sequence[int]) -> bool:
    """Whether steps from a point of this shape, (1, C, H, W), may be recorded."""
    return math.prod(shape[-2:]) <= LARGEST


def pairs(device: torch.device, shape: Sequence[int], evaluations: int | None) -> int:
    """How many pairs the history of a point of this shape, (1, C, H, W), holds, for so many evaluations at most.

    What may be recorded has as many for all that are no longer than by default, so that one recording serves them.
    """
    if device.type != "cpu" and recordable(shape):
        usual = evaluations is not None and evaluations <= EVALUATIONS
        evaluations = EVALUATIONS if usual else None
    return most_pairs(math.prod(shape), evaluations)


class Recorded(NamedTuple):
    """A recording.

    Attributes:
        replay: does again what was recorded, on the same tensors.
        size: bytes that it holds beside those tensors.
    """

    replay: Callable[[], object]
    size: int


Capture = Callable[[Callable[[], object]], Recorded]
"""Records what a function does. It may call it or not."""


class CaptureOnGPU:
    """As a CUDA graph, as torch's notes on CUDA semantics describe it ("CUDA Graphs")."""

    def __init__(self) -> None:
        self._stream: torch.cuda.Stream | None = None  # one for all: libraries keep memory for each

    def __call__(self, function: Callable[[], object]) -> Recorded:
        """Record it, after it has been called once on the same stream.

        Raises:
            RuntimeError: something in the function cannot be recorded.
        """
        if self._stream is None:
            self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        current = torch.cuda.current_stream()
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            function()
        # What is recorded has memory of its own; what others had is given back before it is measured.
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        before = torch.cuda.memory_reserved()
        graph = torch.cuda.CUDAGraph()
        # Other threads have nothing to do with it, whatever they call meanwhile. Should it fail, this one goes on
        # with the stream that it had.
        with (
            torch.cuda.stream(current),
            torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"),
        ):
            function()
        return Recorded(graph.replay, max(0, torch.cuda.memory_reserved() - before))


class Graphs:
    """Recordings of optimisers' steps, the latest used, in bounded memory. For one thread, and one picture at a time.

    What comes for the first time is not recorded, since it may never come again: a mask, for instance, has weights
    of its own. Whatever goes wrong with a recording, the steps are made without, now and from then on.

    Args:
        room: bytes that all recordings may take.
        capture: how to record; None: on a GPU.
    """

    def __init__(self, room: int, capture: Capture | None = None) -> None:
        self._capture = CaptureOnGPU() if capture is None else capture
        self._room = room
        self._recordings: OrderedDict[Hashable, _Recording] = OrderedDict()
        self._seen: OrderedDict[Hashable, bool] = OrderedDict()  # whether there would be room for a recording
        self._given_up = False

    def __len__(self) -> int:
        """How many recordings there are."""
        return len(self._recordings)

    @property
    def size(self) -> int:
        """Bytes that they take."""
        return sum(recording.size for recording in self._recordings.values())

    def clear(self) -> None:
        """Forget all of them, and what they have in memory."""
        self._recordings.clear()

    def replaying(self, optimiser: LBFGS, *, may_record: bool = True) -> LBFGS:
        """An optimiser that does the same by replaying a recording, up to rounding; or the same, where there is none.

        Args:
            optimiser: recordable, that has made no step yet. Its function has to be made of objects, not a closure.
            may_record: whether there is the time to record it, where it has not been.
        """
        if self._given_up or not recordable(optimiser.point.shape):
            return optimiser
        try:
            key = _key(optimiser)
            if key not in self._recordings and may_record and self._is_worth(key, optimiser):
                self._record(key, optimiser)
            if key not in self._recordings:
                return optimiser
        except (RuntimeError, TypeError) as error:
            self._given_up = True
            self.clear()
            log.warning("steps are not replayed as CUDA graphs: %r", str(error))
            return optimiser
        self._recordings.move_to_end(key)
        return self._recordings[key].of(optimiser)

    def _is_worth(self, key: Hashable, optimiser: LBFGS) -> bool:
        """Whether it was seen before, and there would be room for it."""
        if key in self._seen:
            self._seen.move_to_end(key)
            return self._seen[key]
        self._seen[key] = _size(optimiser) <= self._room
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False

    def _record(self, key: Hashable, optimiser: LBFGS) -> None:
        """There is none afterwards where there is no room for it, nor a finite loss to compare with."""
        self._make_room(_size(optimiser))
        recording = _Recording(optimiser, self._capture)
        if recording.size > self._room:
            self._seen[key] = False
        elif recording.is_finite:
            self._make_room(recording.size)
            self._recordings[key] = recording

    def _make_room(self, size: int) -> None:
        while self._recordings and self.size + size > self._room:
            self._recordings.popitem(last=False)


class _Recording:
    """Of an optimiser's steps, on tensors of its own.

    Attributes:
        size: bytes that it takes.
        is_finite: whether there was a loss to compare with.
    """

    def __init__(self, optimiser: LBFGS, capture: Capture) -> None:
        # Its tensors are used, and nothing else of it: no step is counted.
        networks = (leaf for _, leaf in _leaves(optimiser) if isinstance(leaf, VGG))
        self._own = copy.deepcopy(optimiser, {id(network): network for network in networks})
        expected = self._after(optimiser, self._own.advance)
        self.is_finite = bool(expected[0].isfinite().all())
        self.size = 0
        if not self.is_finite:
            return
        recorded = capture(self._own.advance)
        self._replay = recorded.replay
        self.size = recorded.size + _size(self._own)
        for replayed, other in zip(self._after(optimiser, self._replay), expected, strict=True):
            if not (replayed - other).norm() <= TOLERANCE * other.norm():
                raise RuntimeError("replays gave other numbers than the evaluations that were recorded")

    def of(self, optimiser: LBFGS) -> LBFGS:
        """One that begins as this one does."""
        self._load(optimiser)
        return _Replaying(self._own, self._replay)

    def _load(self, optimiser: LBFGS) -> None:
        for here, there in zip(_tensors(self._own), _tensors(optimiser), strict=True):
            here.copy_(there)

    def _after(self, optimiser: LBFGS, advance: Callable[[], object]) -> list[Tensor]:
        """What is reported, and where it is so, after REHEARSALS steps of this optimiser."""
        self._load(optimiser)
        for _ in range(REHEARSALS):
            advance()
        return [self._own.report(), self._own.point.clone()]


class _Replaying(LBFGS):
    """On the tensors of a recording."""

    def __init__(self, recorded: LBFGS, replay: Callable[[], object]) -> None:
        vars(self).update(vars(recorded))
        self._replay = replay

    def advance(self) -> None:
        self._replay()


def _key(optimiser: LBFGS) -> Hashable:
    """Everything that a recording depends on, but for the numbers in the tensors."""
    return tuple((path, _alike(leaf)) for path, leaf in _leaves(optimiser))


def _alike(leaf: Any) -> Hashable:
    """What a leaf has in common with those that may take its place."""
    if isinstance(leaf, Tensor):
        return leaf.shape, leaf.dtype, leaf.stride(), leaf.device
    if isinstance(leaf, VGG):  # one with the same weights is as good
        return leaf.get_buffer("conv1_1_weight").data_ptr(), leaf.dtype, leaf.pooling, leaf.padding
    kept: Hashable = leaf
    return kept


def _tensors(optimiser: LBFGS) -> list[Tensor]:
    """All that its steps read and write, but for the network."""
    return [leaf for _, leaf in _leaves(optimiser) if isinstance(leaf, Tensor)]


def _size(optimiser: LBFGS) -> int:
    """Bytes of those."""
    return sum(tensor.nbytes for tensor in _tensors(optimiser))


def _leaves(whole: object) -> Iterator[tuple[str, Any]]:
    """What an object is made of, each with its path: tensors, whatever else has no parts, and the types of what has.

    A tensor that is met a second time is the path where it was met first. A network has no parts here.
    """
    met: dict[int, str] = {}
    left = [("", whole)]
    while left:
        path, part = left.pop()
        if isinstance(part, Tensor):
            yield path, met.get(id(part), part)
            met.setdefault(id(part), path)
        elif isinstance(part, VGG):
            yield path, part
        elif isinstance(part, Mapping):
            left += ((f"{path}[{name}]", value) for name, value in part.items())
        elif isinstance(part, list | tuple):
            left += ((f"{path}[{number}]", value) for number, value in enumerate(part))
        elif getattr(part, "__dict__", None):
            yield path, type(part)
            left += ((f"{path}.{name}", value) for name, value in vars(part).items())
        else:
            yield path, part
