"""In which dtype the convolutions run fastest without anybody seeing it."""

from pathlib import Path

import torch

BF16_INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}
CPU_DESCRIPTION = Path("/proc/cpuinfo")


def fastest_dtype(device: torch.device, cpu_description: Path = CPU_DESCRIPTION) -> torch.dtype:
    """bfloat16 where the hardware multiplies it faster than float32, else float32.

    Decided by what the hardware has, not by a stopwatch, so that the same machine always gives the same bytes.
    With bfloat16 convolutions, and Gram matrices, losses and the optimiser in float32, the delivered loss
    followed that of float32 within half a per cent (docs/performance.md).

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
