"""What this computer has: CPUs, memory, a GPU, optional packages."""

from service.machine.cpus import usable_cpus, wait_without_spinning
from service.machine.extras import why_no_heic, why_no_traces
from service.machine.free_memory import free_for_pictures, free_for_requests, free_on_gpu, parse_amount
from service.machine.gpu import gpu_memory

__all__ = [
    "free_for_pictures",
    "free_for_requests",
    "free_on_gpu",
    "gpu_memory",
    "parse_amount",
    "usable_cpus",
    "wait_without_spinning",
    "why_no_heic",
    "why_no_traces",
]
