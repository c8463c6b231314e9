"""In which precision the convolutions run; fastest without anybody seeing it, unless one is asked for.

Gram matrices, losses and the optimiser are float32 in each. There is no float16: responses and their gradients span
more than its range, and it is no faster than bfloat16.
"""

from pathlib import Path
from typing import Literal

import torch

from service.style.network.vgg import VGG

_CONVOLUTIONS = torch.backends.cudnn.conv  # type: ignore[attr-defined]  # torch makes it at run time

Precision = Literal["auto", "bf16", "tf32", "fp32"]
"""bf16: bfloat16. tf32: float32 whose products are rounded to 10 bits, of NVIDIA's GPUs. fp32: float32. auto: see
`fastest_dtype`."""

BF16_INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}
CPU_DESCRIPTION = Path("/proc/cpuinfo")


def fastest_dtype(device: torch.device, cpu_description: Path = CPU_DESCRIPTION) -> torch.dtype:
    """bfloat16 where the hardware multiplies it faster than float32, else float32.

    Decided by what the hardware has, not by a stopwatch, so that the same machine always gives the same bytes.
    With bfloat16 convolutions, and Gram matrices, losses and the optimiser in float32, the delivered loss
    followed that of float32 within half a per cent (docs/develop/measurements.md).

    Args:
        device: a CPU or CUDA device.
        cpu_description: where Linux lists the instructions of the CPU.
    """
    if device.type == "cuda":
        major, _ = torch.cuda.get_device_capability(device)
        return torch.bfloat16 if major >= 8 else torch.float32
    try:
        words = set(cpu_description.read_text().split())
    except OSError:  # not Linux
        return torch.float32
    return torch.bfloat16 if words & BF16_INSTRUCTIONS else torch.float32


def with_precision(network: VGG, precision: Precision = "auto") -> VGG:
    """The same network, on its device, with convolutions in this precision.

    Whether float32 convolutions round their products is a switch of torch for the whole process, and is set here: on,
    as torch has it, float32 would not be what it is called.

    Raises:
        ValueError: there is no such precision on this device.
    """
    if precision == "tf32" and not _has_tf32(network.device):
        raise ValueError("tf32 is of NVIDIA's GPUs from Ampere on: choose auto, bf16 or fp32 here")
    _CONVOLUTIONS.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    if precision == "auto":
        dtype = fastest_dtype(network.device)
    else:
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    return network.with_dtype(dtype).with_winograd()


def _has_tf32(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.get_device_capability(device)[0] >= 8
