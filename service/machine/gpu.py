"""How much of the GPU's memory is used, for /metrics. Asks torch where it is loaded, and never loads it."""

import sys
from collections.abc import Callable, Mapping
from types import ModuleType

_DEVICE = 0  # one process, one GPU: the first that it may see

# All of them are numbers that torch knows, or that its allocator keeps: none waits for the GPU.
_QUESTIONS: Mapping[str, Callable[[ModuleType], int]] = {
    "allocated": lambda cuda: cuda.memory_allocated(_DEVICE),
    "reserved": lambda cuda: cuda.memory_reserved(_DEVICE),
    "peak": lambda cuda: cuda.max_memory_allocated(_DEVICE),
    "total": lambda cuda: cuda.get_device_properties(_DEVICE).total_memory,
}


def gpu_memory(what: str) -> float:
    """Bytes of the GPU's memory; 0 where there is none, or it has not been opened yet.

    Args:
        what: `allocated` by tensors now, `reserved` by torch from the driver, `peak` of what was ever allocated,
            or `total` of the device.
    """
    cuda = sys.modules.get("torch.cuda")
    # Before the engine has opened the GPU, asking would open it, on the thread of a scrape.
    if cuda is None or not cuda.is_initialized():
        return 0.0
    return float(_QUESTIONS[what](cuda))
