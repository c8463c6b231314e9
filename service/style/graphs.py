"""Steps of the optimiser, recorded once and replayed, so that a GPU need not wait for the host to launch them.

A step is some 250 operations, which the host launches one by one; of small pictures the GPU has done them sooner
than they are launched. A CUDA graph launches all of them at once. It works on the very memory that it was recorded
with, so a recording has tensors of its own, a copy of all that the optimiser works on: the point, its history, the
canvas, the targets. Those of another request are copied into them: what was recorded for one serves all that look
like it.
"""

import copy
import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from service.style.lbfgs import LBFGS
from service.style.vgg import VGG

log = logging.getLogger(__name__)

LARGEST = 2**20
"""Pixels of a picture above which nothing is recorded: there the launching takes less time than the kernels."""

TOLERANCE = 1e-2
"""By which, relatively, replays may differ from the steps without them; else they are not to be trusted."""

REHEARSALS = 3
"""Steps before one is recorded: what libraries do at their first call must not be recorded. They are what the first
replays are compared with, and with three of them the history counts."""


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


def capture_on_gpu(function: Callable[[], object]) -> Recorded:
    """As a CUDA graph, as torch's notes on CUDA semantics describe it ("CUDA Graphs").

    Raises:
        RuntimeError: something in the function cannot be recorded.
    """
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        function()
    torch.cuda.current_stream().wait_stream(aside)
    before = torch.cuda.memory_reserved()
    graph = torch.cuda.CUDAGraph()
    # Other threads have nothing to do with it, whatever they call meanwhile.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        function()
    return Recorded(graph.replay, torch.cuda.memory_reserved() - before)


class Graphs:
    """Recordings of optimisers' steps, the latest used, in bounded memory. For one thread, and one picture at a time.

    Whatever goes wrong with a recording, the steps are made without, now and from then on.

    Args:
        room: bytes that all recordings may take.
        capture: how to record.
    """

    def __init__(self, room: int, capture: Capture = capture_on_gpu) -> None:
        self._capture = capture
        self._room = room
        self._recordings: OrderedDict[Hashable, _Recording] = OrderedDict()
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

    def replaying(self, optimiser: LBFGS) -> LBFGS:
        """An optimiser that does the same by replaying a recording, up to rounding; or the same, where there is none.

        Args:
            optimiser: recordable, that has made no step yet. Its function has to be made of objects, not a closure.
        """
        pixels = optimiser.point.shape[-2] * optimiser.point.shape[-1]
        if self._given_up or pixels > LARGEST:
            return optimiser
        key = _key(optimiser)
        try:
            if key not in self._recordings and not self._record(key, optimiser):
                return optimiser
        except RuntimeError as error:
            self._given_up = True
            self.clear()
            log.warning("evaluations are not replayed as CUDA graphs: %r", str(error))
            return optimiser
        self._recordings.move_to_end(key)
        return self._recordings[key].of(optimiser)

    def _record(self, key: Hashable, optimiser: LBFGS) -> bool:
        """Whether there is one now: not where there is no room for it, nor a finite loss."""
        size = sum(tensor.nbytes for tensor in _tensors(optimiser))
        self._make_room(size)
        if size > self._room:
            return False
        recording = _Recording(optimiser, self._capture)
        if recording.is_finite:
            self._make_room(recording.size)
            if recording.size <= self._room:
                self._recordings[key] = recording
        return key in self._recordings

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
        self.size = recorded.size + sum(tensor.nbytes for tensor in _tensors(self._own))
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
        return leaf.shape, leaf.dtype, leaf.stride()
    if isinstance(leaf, VGG):  # one with the same weights is as good
        return leaf.get_buffer("conv1_1_weight").data_ptr(), leaf.dtype, leaf.pooling
    kept: Hashable = leaf
    return kept


def _tensors(optimiser: LBFGS) -> list[Tensor]:
    """All that its steps read and write, but for the network."""
    return [leaf for _, leaf in _leaves(optimiser) if isinstance(leaf, Tensor)]


def _leaves(whole: object) -> Iterator[tuple[str, Any]]:
    """What an object is made of, each with its path: tensors, and whatever has no parts.

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
            left += ((f"{path}.{name}", value) for name, value in vars(part).items())
        else:
            yield path, part
