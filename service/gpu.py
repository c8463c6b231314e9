"""How much of the GPU's memory is used, for /metrics. Asks torch where it is loaded, and never loads it."""

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

_DEVICE = 0  # one process, one GPU: the first that it may see


def _memory(torch: "ModuleType | None", ask: "Callable[[ModuleType], int]") -> float:
    # Before the engine has opened the GPU, asking would do so, and on the thread of a scrape.
    if torch is None or not torch.cuda.is_initialized():
        return 0.0
    return float(ask(torch))


# All of them are numbers that torch's allocator keeps, or knows: none waits for the GPU.
_QUESTIONS: "Mapping[str, Callable[[ModuleType], int]]" = {
    "allocated": lambda torch: torch.cuda.memory_allocated(_DEVICE),
    "reserved": lambda torch: torch.cuda.memory_reserved(_DEVICE),
    "peak": lambda torch: torch.cuda.max_memory_allocated(_DEVICE),
    "total": lambda torch: torch.cuda.get_device_properties(_DEVICE).total_memory,
}


def gpu_memory(what: str) -> float:
    """Bytes of the GPU's memory; 0 where there is none, or it has not been opened yet.

    Args:
        what: `allocated` by tensors now, `reserved` by torch from the driver, `peak` of what was ever allocated,
            or `total` of the device.
    """
    return _memory(sys.modules.get("torch"), _QUESTIONS[what])
