"""Errors of torch and of the machine, told from those of a request."""

import torch

from service.engine import Fault

# Of the CPU's allocator, which raises a plain RuntimeError.
_CPU_MEMORY = ("DefaultCPUAllocator", "can't allocate memory", "not enough memory")
# Of libraries that allocate by themselves, outside of torch's allocator and its OutOfMemoryError.
_LIBRARY_MEMORY = ("out of memory", "_ALLOC_FAILED", "ALLOCATION_FAILED")
_CUDA = ("CUDA error", "CUDA driver error", "cuBLAS error", "CUBLAS_STATUS", "cuDNN error", "CUDNN_STATUS")


def fault_of(error: BaseException) -> Fault | None:
    """What an error says about the process.

    A failed allocation leaves everything as it was: once memory is free again, the next picture works. After any
    other error of CUDA, such as an illegal access, each further call fails the same way until the process ends (CUDA
    Runtime API, cudaErrorIllegalAddress and others: "the process must be terminated and relaunched").

    Returns:
        "memory", "sticky", or None for an error that is only this request's.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return "memory"
    if not isinstance(error, RuntimeError):
        return None
    message = str(error)
    if any(words in message for words in _CPU_MEMORY):
        return "memory"
    if isinstance(error, torch.AcceleratorError) or any(words in message for words in _CUDA):
        return "memory" if any(words in message for words in _LIBRARY_MEMORY) else "sticky"
    return None
