"""Which errors say that memory has run out, or that the GPU has failed: with the messages that torch has."""

import pytest
import torch

from service.model.faults import fault_of


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_these_pass_once_memory_is_free_again(error: Exception) -> None:
    assert fault_of(error) == "memory"


def test_so_does_what_torch_really_raises_on_a_cpu() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(10**15)
    assert fault_of(raised.value) == "memory"


@pytest.mark.parametrize(
    "error",
    [
        torch.AcceleratorError("CUDA error: device-side assert triggered"),
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("CUDA error: uncorrectable ECC error encountered"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    ],
)
def test_these_stay_until_the_process_ends(error: Exception) -> None:
    assert fault_of(error) == "sticky"


@pytest.mark.parametrize(
    "error", [ValueError("CUDA error"), RuntimeError("shapes do not fit"), FloatingPointError("not finite")]
)
def test_these_are_of_the_request(error: Exception) -> None:
    assert fault_of(error) is None
