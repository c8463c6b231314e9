import sys
from types import SimpleNamespace

import pytest
import torch

from service.machine.gpu import gpu_memory

KINDS = ("allocated", "reserved", "peak", "total")


def opened(**changes: object) -> SimpleNamespace:
    """In place of torch.cuda, with a GPU that is in use."""
    cuda = {
        "is_initialized": lambda: True,
        "memory_allocated": lambda device: 10 + device,
        "memory_reserved": lambda device: 20 + device,
        "max_memory_allocated": lambda device: 30 + device,
        "get_device_properties": lambda device: SimpleNamespace(total_memory=40 + device),
    }
    return SimpleNamespace(**(cuda | changes))


@pytest.mark.parametrize(("what", "value"), [*zip(KINDS, (10, 20, 30, 40), strict=True)])
def test_each_number_is_that_of_the_first_gpu(
    what: str, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.cuda", opened())
    assert gpu_memory(what) == value


@pytest.mark.parametrize("what", KINDS)
def test_a_gpu_that_is_not_opened_is_left_alone(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.cuda", SimpleNamespace(is_initialized=lambda: False))
    assert gpu_memory(what) == 0


@pytest.mark.parametrize("what", KINDS)
def test_without_torch_there_is_nothing_to_ask(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch.cuda")
    assert gpu_memory(what) == 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_tensor_is_seen() -> None:
    before = gpu_memory("allocated")
    held = torch.zeros(1 << 20, device="cuda")
    assert gpu_memory("allocated") - before >= held.nbytes
    assert gpu_memory("total") >= gpu_memory("reserved") >= gpu_memory("allocated") > 0
