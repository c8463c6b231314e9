"""What stands for a CUDA graph, on the CPU.

It notes every operation with its numbers and its tensors, and does them again on the same tensors, writing what came
out where it came out before: as a graph does. So whatever a step decides in Python, or keeps anywhere else than in
its tensors, is wrong in a replay.
"""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

CONVOLUTION = torch.ops.aten.convolution.default


class Tape(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Of one function."""

    def __init__(self, spoil: float = 1.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._spoil = spoil
        self._notes: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("CUDA error: operation not permitted when stream is capturing")
        results = func(*args, **(kwargs or {}))
        self._notes.append((func, args, kwargs or {}, results))
        return results

    def replay(self) -> None:
        for func, args, kwargs, results in self._notes:
            if func.is_view:  # of memory that has been written to meanwhile
                continue
            again = func(*args, **kwargs)
            if func._schema.is_mutable:  # it has written where it wrote before
                continue
            for here, there in zip(tensors_in(results), tensors_in(again), strict=True):
                here.copy_(there * self._spoil if func is CONVOLUTION else there)


def tensors_in(results: Any) -> list[Tensor]:
    return [results] if isinstance(results, Tensor) else list(results)
