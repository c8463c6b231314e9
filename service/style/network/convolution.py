"""Which convolution computes a layer: torch's, or on CPUs Winograd's, where that one is faster.

Which of them it is depends on the hardware and the shape only, and never on a stopwatch, so that the same machine
always gives the same bytes.
"""

import functools
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from service.style.network.padding import REPEAT, ZERO, Padding

log = logging.getLogger(__name__)

FEWEST_CHANNELS = 64
"""In and out. With fewer, the transforms of the tiles cost more than the products that they save."""

FEWEST_TILES = 12
"""Of 4x4 positions. With fewer, reading the transformed kernels, four times as large, takes longer than they save."""

TOLERANCE = 1e-4
"""Largest error of the self-check, of the largest value."""


@dataclass(frozen=True)
class Winograd:
    """A layer's convolution by `service.style.network.winograd`.

    Attributes:
        kernels: transformed, (36, in, out).
        adjoint_kernels: those of the adjoint, (36, out, in).
        bias: (out,).
        turned: the kernel of the adjoint as it is, (in, out, 3, 3).
    """

    kernels: Tensor
    adjoint_kernels: Tensor
    bias: Tensor
    turned: Tensor

    def suits(self, h: Tensor) -> bool:
        """Whether it computes an input or a response, (B, C, H, W), and sooner than torch."""
        plain = h.device.type == "cpu" and h.dtype == torch.float32 and h.shape[0] == 1
        tracked = h.requires_grad and torch.is_grad_enabled()
        return plain and not tracked and fast(*h.shape[-2:]) and h.permute(0, 2, 3, 1).is_contiguous()

    def forward(self, h: Tensor, padding: Padding) -> Tensor:
        """The ReLU of the convolution of h, (1, in, H, W): (1, out, H, W)."""
        from service.style.network import winograd

        return winograd.forward(h, self.kernels, self.bias, padding=padding)[0]

    def forward_and_average(self, h: Tensor, padding: Padding) -> tuple[Tensor, Tensor]:
        """As `forward`, and its averages over 2x2 positions, (1, out, H//2, W//2)."""
        from service.style.network import winograd

        response, pooled = winograd.forward(h, self.kernels, self.bias, pool=True, padding=padding)
        assert pooled is not None
        return response, pooled

    def adjoint(
        self, gradient: Tensor, response: Tensor, padding: Padding, own: Tensor | None = None
    ) -> Tensor:
        """Back past the ReLU and the convolution.

        Args:
            gradient: with respect to the response, (1, out, H, W), or to its averages, (1, out, H//2, W//2).
            response: (1, out, H, W).
            padding: of the convolution.
            own: is added to the gradient, (1, out, H, W).

        Returns:
            The gradient with respect to the input, (1, in, H, W).
        """
        from service.style.network import winograd

        below = winograd.adjoint(gradient, response, self.adjoint_kernels, own)
        if padding != ZERO:
            padding.fold_margin(below, *self._margin(gradient, response, own))
        return below

    def _margin(self, gradient: Tensor, response: Tensor, own: Tensor | None) -> tuple[Tensor, Tensor]:
        """The gradient of the positions around the input: rows, (1, in, 2, W+2), and columns, (1, in, H, 2).

        A margin sees nothing but the border next to it, and of the kernel what points outwards.
        """
        from service.style.network import winograd

        top, bottom, left, right = winograd.border(gradient, response, own)
        kernel = self.turned
        rows = torch.stack((_spread(top, kernel[:, :, 2]), _spread(bottom, kernel[:, :, 0])))
        columns = torch.stack((_spread(left, kernel[:, :, :, 2]), _spread(right, kernel[:, :, :, 0])))
        return rows.permute(2, 0, 1)[None], columns[:, 1:-1].permute(2, 1, 0)[None]


def _spread(line: Tensor, kernel: Tensor) -> Tensor:
    """The full correlation of a line, (n, out), with a kernel of three, (in, out, 3): (n + 2, in).

    By products of matrices, which read the kernel where it is; a convolution would copy it first.
    """
    n = line.shape[0]
    spread = line.new_zeros((n + 2, kernel.shape[0]))
    for tap in range(3):
        spread[2 - tap : 2 - tap + n].addmm_(line, kernel[:, :, tap].t())
    return spread


def fast(height: int, width: int) -> bool:
    """Whether a response of this height and width has tiles enough."""
    return -(-height // 4) * -(-width // 4) >= FEWEST_TILES


def winograd_layers(kernels: Mapping[str, tuple[Tensor, Tensor, Tensor]]) -> dict[str, Winograd]:
    """Winograd's convolutions of those layers that are computed faster by it on this machine.

    Args:
        kernels: of each layer, on a CPU: the kernel, (out, in, 3, 3), that of its adjoint, (in, out, 3, 3), and the
            bias, (out,).
    """
    suitable = {name: layer for name, layer in kernels.items() if min(layer[0].shape[:2]) >= FEWEST_CHANNELS}
    if not suitable or not available():
        return {}
    from service.style.network import winograd

    return {
        name: Winograd(winograd.transformed(kernel), winograd.transformed(adjoint), bias, adjoint)
        for name, (kernel, adjoint, bias) in suitable.items()
    }


@functools.cache
def available() -> bool:
    """Whether Winograd's convolutions work here; if not, the log says why, once.

    The first call imports numba, and compiles what has not been compiled before, which takes seconds.
    """
    threads = torch.get_num_threads()
    try:
        _set_up_numba()
        _check()
    except Exception as error:  # whatever is wrong with numba or its cache, torch's convolutions remain
        log.warning(
            "painting takes about twice as long: the convolutions that numba compiles cannot be used (%s: %s)",
            type(error).__name__,
            error,
        )
        return False
    finally:
        torch.set_num_threads(threads)  # which numba changes as it starts its own
    return True


def _set_up_numba() -> None:
    """Choose how numba compiles, which it reads from the environment as it is imported."""
    unit = torch.backends.cpu.get_cpu_capability()
    if unit in ("AVX2", "AVX512"):
        # Loops that wait for memory gain nothing from AVX-512, and like this an image's cache suits all its machines.
        os.environ.setdefault("NUMBA_CPU_NAME", "x86-64-v3")
        os.environ.setdefault("NUMBA_CPU_FEATURES", "")
    elif os.uname().machine == "x86_64":
        raise RuntimeError("they need a CPU with AVX2")
    # An image brings its cache along, on a file system that may be read-only; numba wants one that it could write to.
    if (compiled := os.environ.get("BAKED_NUMBA_CACHE")) and (cache := os.environ.get("NUMBA_CACHE_DIR")):
        shutil.copytree(compiled, cache, dirs_exist_ok=True)
    # OpenMP, which is torch's own pool of threads where both find the same library; numba's is always there.
    os.environ.setdefault("NUMBA_THREADING_LAYER_PRIORITY", "omp workqueue tbb")
    os.environ.setdefault("NUMBA_NUM_THREADS", str(torch.get_num_threads()))


def _check() -> None:
    """Compare with torch's convolution.

    Raises:
        RuntimeError: it differs.
    """
    from service.style.network import winograd

    random = torch.Generator().manual_seed(0)
    x = torch.randn(1, 9, 14, 32, generator=random).permute(0, 3, 1, 2)
    kernel = torch.randn(48, 32, 3, 3, generator=random)
    bias = torch.randn(48, generator=random)
    expected = F.relu(F.conv2d(REPEAT.around(x), kernel, bias))
    found, _ = winograd.forward(x, winograd.transformed(kernel), bias, padding=REPEAT)
    error = ((found - expected).abs().max() / expected.max()).item()
    if not error <= TOLERANCE:
        raise RuntimeError(f"they differ from torch's by {error:.0e} of the largest value")
