"""A GPU that is not there: its tensors have their numbers on the CPU and say that they are on "cuda".

What runs on it is the code that runs on a real one, with the same devices and the CPU's arithmetic: so a result is
the same to the bit as without. Whatever mixes tensors of both devices fails as on a real one. Its memory is counted
in tensors; what CUDA's libraries take besides is not there. Nor is its speed, and autograd does not work on it.
"""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from devtools.tape import Tape

GRAIN = 512
"""Bytes: torch's allocator hands out multiples of it."""

CROSSINGS = ("aten::_to_copy", "aten::copy_")
"""What takes numbers from one device to the other."""


class GPU:
    """What torch.cuda knows of it.

    Attributes:
        total: bytes of memory.
        allocated: bytes of its tensors now.
        peak: bytes of its tensors, at most, since it was last asked to forget.
        read: how often the host waited for numbers of it.
        replayed: how often a recording of it was replayed.
    """

    def __init__(self, total: int = 2**37) -> None:
        self.total = total
        self.allocated = self.peak = self.read = self.replayed = 0
        self._storages: set[int] = set()

    def holds(self, numbers: Tensor) -> "OnGPU":
        """A tensor on it, of these numbers.

        Raises:
            OutOfMemoryError: there is no room for it.
        """
        storage = numbers.untyped_storage()
        key = storage.data_ptr()
        if key not in self._storages:
            size = -(-storage.nbytes() // GRAIN) * GRAIN
            if self.allocated + size > self.total:
                raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {size} bytes.")
            self._storages.add(key)
            self.allocated += size
            self.peak = max(self.peak, self.allocated)
            weakref.finalize(storage, self._free, key, size)
        return OnGPU(numbers, self)

    def _free(self, key: int, size: int) -> None:
        self._storages.discard(key)
        self.allocated -= size

    def forget_peak(self) -> None:
        """From now on it is counted anew."""
        self.peak = self.allocated

    def mode(self) -> "OfGPU":
        """In it, what a thread makes on "cuda" is made on this one."""
        return OfGPU(self)

    def run(self, func: Any, args: Any, kwargs: Any) -> Any:
        """An operation, of whose tensors some are here or whose result is to be.

        Raises:
            RuntimeError: not all of its tensors are.
        """
        name, kwargs = func._schema.name, dict(kwargs or {})
        leaves = tree_leaves((args, kwargs))
        here = {id(leaf.numbers): leaf for leaf in leaves if isinstance(leaf, OnGPU)}
        elsewhere = [leaf for leaf in leaves if isinstance(leaf, Tensor) and not isinstance(leaf, OnGPU)]
        stays = bool(here)
        if kwargs.get("device") is not None:
            stays = torch.device(kwargs["device"]).type == "cuda"
            kwargs["device"] = torch.device("cpu")
        if name == "aten::copy_":
            stays = isinstance(args[0], OnGPU)
        if here and name not in CROSSINGS and any(leaf.dim() for leaf in elsewhere):
            raise RuntimeError(f"{name}: expected all tensors to be on the same device")
        if stays and any(isinstance(leaf, torch.Generator) for leaf in leaves):
            raise RuntimeError(f"{name}: expected a 'cuda' device type for generator but found 'cpu'")
        self.read += bool(here) and (name == "aten::_local_scalar_dense" or not stays)

        def numbers(leaf: Any) -> Any:
            return leaf.numbers if isinstance(leaf, OnGPU) else leaf

        def result(leaf: Any) -> Any:
            if not isinstance(leaf, Tensor):
                return leaf
            return here[id(leaf)] if id(leaf) in here else self.holds(leaf)

        found = func(*tree_map(numbers, args), **tree_map(numbers, kwargs))
        return tree_map(result, found) if stays else found


class OnGPU(Tensor):
    """A tensor that says it is there.

    Attributes:
        numbers: on the CPU.
        gpu: where it is.
    """

    numbers: Tensor
    gpu: GPU

    @staticmethod
    def __new__(cls, numbers: Tensor, gpu: GPU) -> "OnGPU":
        new: OnGPU = Tensor._make_wrapper_subclass(
            cls,
            numbers.shape,
            strides=numbers.stride(),
            storage_offset=numbers.storage_offset(),
            dtype=numbers.dtype,
            device=torch.device("cuda", 0),
        )
        new.numbers, new.gpu = numbers, gpu
        return new

    def __init__(self, numbers: Tensor, gpu: GPU) -> None:
        pass

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        gpu = next(leaf.gpu for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, OnGPU))
        return gpu.run(func, args, kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        copy: Tensor = memo.setdefault(id(self), self.clone())
        return copy

    # These do without operations.
    def data_ptr(self) -> int:
        return self.numbers.data_ptr()

    def tolist(self) -> Any:
        self.gpu.read += 1
        return self.numbers.tolist()

    def numpy(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")

    def new_tensor(self, *args: Any, **kwargs: Any) -> Tensor:
        return self.gpu.holds(self.numbers.new_tensor(*args, **kwargs))


class OfGPU(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """For what is made from nothing, or comes from the CPU."""

    # As that of fake tensors, with which torch does not try to start CUDA.
    _mode_key = torch._C._TorchDispatchModeKey.FAKE

    def __init__(self, gpu: GPU) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._gpu = gpu

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self._gpu.run(func, args, kwargs)


def in_place_of_cuda(patch: pytest.MonkeyPatch, gpu: GPU) -> None:
    """Let torch.cuda answer for it. CUDA graphs are tapes."""
    stream = SimpleNamespace(wait_stream=lambda _: None)
    properties = SimpleNamespace(total_memory=gpu.total, name="stand-in")

    class Graph:
        def __init__(self) -> None:
            self.tape = Tape()

        def replay(self) -> None:
            gpu.replayed += 1
            self.tape.replay()

    @contextmanager
    def graph(graph: Graph, **_: object) -> Iterator[None]:
        with graph.tape:
            yield

    @contextmanager
    def on(_: object) -> Iterator[None]:
        yield

    fakes: dict[str, Callable[..., object]] = {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "get_device_name": lambda *_: properties.name,
        "get_device_capability": lambda *_: (9, 0),
        "get_device_properties": lambda *_: properties,
        "mem_get_info": lambda *_: (gpu.total - gpu.allocated, gpu.total),
        "memory_allocated": lambda *_: gpu.allocated,
        "memory_reserved": lambda *_: gpu.allocated,
        "max_memory_allocated": lambda *_: gpu.peak,
        "reset_peak_memory_stats": lambda *_: gpu.forget_peak(),
        "empty_cache": lambda: None,
        "synchronize": lambda *_: None,
        "current_stream": lambda *_: stream,
        "Stream": lambda *_: stream,
        "stream": on,
        "CUDAGraph": Graph,
        "graph": graph,
    }
    for name, fake in fakes.items():
        patch.setattr(torch.cuda, name, fake)
    torch._C._ensureCUDADeviceGuardSet()
