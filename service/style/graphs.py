"""Evaluations that are recorded once and replayed, so that a GPU need not wait until the host has launched them.

An evaluation is some 140 operations, which the host launches one by one; of small pictures the GPU has done them
sooner than they are launched. A CUDA graph launches all of them at once. It works on the very memory that it was
recorded with, so a recording has tensors of its own for the picture and the targets, into which others of the same
shapes are copied: what was recorded for one request serves all that look like it.
"""

import copy
import dataclasses
import logging
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import torch
from torch import Tensor

from service.style.objective import Objective
from service.style.terms import Term

log = logging.getLogger(__name__)

LARGEST = 2**20
"""Pixels of a picture above which nothing is recorded: there the launching takes less time than the kernels."""

ROOM = 2 * LARGEST
"""Pixels of all pictures for which there are recordings. Each keeps the memory of its evaluation, in bfloat16 some
900 bytes for each pixel."""

TOLERANCE = 1e-2
"""By which, relatively, a first replay may differ from the evaluation without it; else it is not to be trusted."""

WARM_UPS = 2
"""Evaluations before one is recorded: what libraries do at their first call must not be recorded."""

Evaluated = tuple[Tensor, Tensor]
"""Loss and gradient."""

Capture = Callable[[Callable[[], Evaluated]], tuple[Callable[[], object], Evaluated]]
"""Records what a function does: gives what replays it, and the tensors that every replay writes the results to."""


def capture_on_gpu(function: Callable[[], Evaluated]) -> tuple[Callable[[], object], Evaluated]:
    """As a CUDA graph, as torch's notes on CUDA semantics describe it ("CUDA Graphs").

    Raises:
        RuntimeError: something in the function cannot be recorded.
    """
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UPS):
            function()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    # Other threads have nothing to do with it, whatever they call meanwhile.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        results = function()
    return graph.replay, results


class Graphs:
    """Recordings of evaluations, the latest used, in bounded memory. For one thread.

    Whatever goes wrong with a recording, the evaluation is done without, now and from then on.

    Args:
        capture: how to record.
        room: pixels of all recorded pictures.
    """

    def __init__(self, capture: Capture = capture_on_gpu, room: int = ROOM) -> None:
        self._capture = capture
        self._room = room
        self._recordings: OrderedDict[Hashable, _Recording] = OrderedDict()
        self._given_up = False

    def __len__(self) -> int:
        """How many recordings there are."""
        return len(self._recordings)

    def clear(self) -> None:
        """Forget all of them, and what they have in memory."""
        self._recordings.clear()

    def loss_and_gradient(self, objective: Objective, x: Tensor) -> Evaluated:
        """As `objective.loss_and_gradient(x)`; the same up to rounding."""
        if self._given_up or _pixels(x) > min(LARGEST, self._room) or not objective.descended:
            return objective.loss_and_gradient(x)
        key = _key(objective, x)
        if key in self._recordings:
            self._recordings.move_to_end(key)
            return self._recordings[key](objective, x)
        result = objective.loss_and_gradient(x)
        try:
            self._record(key, objective, x, result)
        except RuntimeError as error:
            self._given_up = True
            self.clear()
            log.warning("evaluations are not replayed as CUDA graphs: %r", str(error))
        return result

    def _record(self, key: Hashable, objective: Objective, x: Tensor, expected: Evaluated) -> None:
        if not expected[0].isfinite():  # there is nothing to compare with
            return
        while self._recordings and self._used() + _pixels(x) > self._room:
            self._recordings.popitem(last=False)
        recording = _Recording(objective, x, self._capture)
        for replayed, other in zip(recording(objective, x), expected, strict=True):
            if not (replayed - other).norm() <= TOLERANCE * other.norm():
                raise RuntimeError("a replay gave other numbers than the evaluation that was recorded")
        self._recordings[key] = recording

    def _used(self) -> int:
        return sum(recording.pixels for recording in self._recordings.values())


class _Recording:
    """Of the evaluations of one shape, on tensors of its own."""

    def __init__(self, objective: Objective, x: Tensor, capture: Capture) -> None:
        self.pixels = _pixels(x)
        self._x = x.clone()
        own = copy.copy(objective)
        own.terms = own.descended = [_with_own_tensors(term) for term in objective.descended]
        self._objective = own
        self._loaded = weakref.ref(objective)  # whose targets are in them
        self._replay, self._results = capture(lambda: own.loss_and_gradient(self._x))

    def __call__(self, objective: Objective, x: Tensor) -> Evaluated:
        """Of another objective of the same shapes, perhaps, and another picture."""
        if self._loaded() is not objective:
            for own, term in zip(self._objective.descended, objective.descended, strict=True):
                for (_, there), (_, given) in zip(_tensors(own), _tensors(term), strict=True):
                    there.copy_(given)
            self._loaded = weakref.ref(objective)
        self._x.copy_(x)
        self._replay()
        loss, gradient = self._results
        return loss.clone(), gradient.clone()  # the next replay overwrites them


def _key(objective: Objective, x: Tensor) -> Hashable:
    """Everything that a recording depends on, but for the numbers in the picture and in the targets."""
    network = objective.network
    numbers = {
        name: value
        for name, value in vars(objective).items()
        if name not in ("network", "terms", "descended")  # what is left are plain numbers, such as tv_weight
    }
    return (
        (network.get_buffer("conv1_1_weight").data_ptr(), network.dtype, network.pooling),
        tuple(sorted(numbers.items())),
        (x.shape, x.dtype, x.stride()),
        tuple(_key_of(term) for term in objective.descended),
    )


def _key_of(term: Any) -> Hashable:
    values = ((field.name, getattr(term, field.name)) for field in dataclasses.fields(term))
    return type(term), tuple(
        (name, value.shape, value.dtype) if isinstance(value, Tensor) else (name, value)
        for name, value in values
    )


def _tensors(term: Any) -> Iterator[tuple[str, Tensor]]:
    """The fields of a term, which is a dataclass, that are tensors."""
    for field in dataclasses.fields(term):
        if isinstance(value := getattr(term, field.name), Tensor):
            yield field.name, value


def _with_own_tensors(term: Any) -> Term:
    own: Term = dataclasses.replace(term, **{name: tensor.clone() for name, tensor in _tensors(term)})
    return own


def _pixels(x: Tensor) -> int:
    return x.shape[-2] * x.shape[-1]
