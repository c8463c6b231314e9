"""Convolutions of 3x3 with stride 1 by Winograd's F(4x4, 3x3), for float32 on a CPU.

A tile of 6x6 inputs gives 4x4 outputs with 36 products for each pair of channels, where the direct way takes 144
(Lavin & Gray 2015, arXiv:1509.08308, equation 8 and section 4.3; points 0, ±1, ±2). With d a tile of the input, g
the kernel and ∘ the product of each element with its counterpart:

    y = Aᵀ [(G g Gᵀ) ∘ (Bᵀ d B)] A

G g Gᵀ is computed once for each layer. The products, summed over the incoming channels, are 36 products of matrices,
which torch computes. The transforms of the tiles are loops that numba compiles; they also do what stands before and
after a convolution in the network, so that the picture is not read and written once more for it: bias, ReLU and
pooling on the way forward, the gradients of pooling and ReLU on the way back.

The tiles are taken some at a time, so that their transforms stay in the processor's cache.
Importing this module imports numba, which `service.style.network.convolution` sets up before.
"""

import threading
from typing import Any, NamedTuple

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from service.style.network.padding import ZERO, Padding

Array = NDArray[np.float32]

STRIP_BYTES = 2 * 2**20
"""Of the transformed tiles of a strip, before and after the products. The second-level caches of a few cores."""

MOST_BYTES = 16 * 2**20
"""Of the same, where more channels want more tiles: the products of fewer than three quarters as many are slower,
whatever the cache."""

_G = torch.tensor(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ],
    dtype=torch.float64,
)
# With "contract", a product and a sum are one instruction. Infinities and NaN stay what they are.
_OPTIONS: dict[str, Any] = {
    "cache": True,
    "parallel": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz"},
}
# numba's own pool of threads may not be used twice at the same time; and a second convolution would only take the
# cores and the cache from the first.
_turn = threading.Lock()
_MOST_THREADS = numba.get_num_threads()
_ZEROS, _REPEAT, _WRAP = range(3)
_BEYOND = {"zero": _ZEROS, "repeat": _REPEAT, "wrap": _WRAP}
_NOTHING = np.zeros((0, 0, 0), np.float32)
_NO_BIAS = np.zeros(0, np.float32)
_TWO, _FOUR, _FIVE, _EIGHT, _QUARTER, _ZERO, _ONE = (np.float32(n) for n in (2, 4, 5, 8, 0.25, 0, 1))


def transformed(weight: Tensor) -> Tensor:
    """G g Gᵀ of all kernels: (out, in, 3, 3) becomes (36, in, out), float32, computed in float64."""
    u = torch.einsum("ij,ocjk,lk->iloc", _G, weight.double(), _G).reshape(36, *weight.shape[:2])
    return u.transpose(1, 2).contiguous().float()


def forward(
    x: Tensor, u: Tensor, bias: Tensor, *, pool: bool = False, padding: Padding = ZERO
) -> tuple[Tensor, Tensor | None]:
    """The ReLU of a convolution.

    Args:
        x: (1, in, H, W), channels_last, float32.
        u: the transformed kernels, (36, in, out).
        bias: (out,).
        pool: whether the average over 2x2 positions is wanted as well.
        padding: what it sees beyond the border.

    Returns:
        The response, (1, out, H, W), and its average, (1, out, H//2, W//2), or None; both channels_last.
    """
    height, width = x.shape[-2:]
    y = _empty(u.shape[2], height, width)
    pooled = _empty(u.shape[2], height // 2, width // 2) if pool else None
    before, after = _Before(_array(x)), _After(bias.numpy(), _NOTHING if pooled is None else _array(pooled))
    _convolve(before, u, _array(y), after, padding)
    return y, pooled


def adjoint(gradient: Tensor, response: Tensor, u: Tensor, own: Tensor | None = None) -> Tensor:
    """From the gradient with respect to a response to the one with respect to the input of its convolution.

    Of the input alone: what a padding other than zero adds to it is not in it.

    Args:
        gradient: (1, out, H, W), channels_last; or (1, out, H//2, W//2): with respect to the response's average over
            2x2 positions, where H or W is above 1.
        response: of the layer, after its ReLU, (1, out, H, W), channels_last.
        u: the transformed kernels of the adjoint, (36, out, in).
        own: is added to the gradient, (1, out, H, W), channels_last.

    Returns:
        (1, in, H, W), channels_last.
    """
    y = _empty(u.shape[2], *response.shape[-2:])
    before = _Before(_array(gradient), _NOTHING if own is None else _array(own), _array(response))
    _convolve(before, u, _array(y), _After(), ZERO)
    return y


def border(
    gradient: Tensor, response: Tensor, own: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gradient past the ReLU at the border: of what `adjoint` convolves, what a margin beyond it sees.

    Args:
        gradient: as for `adjoint`.
        response: as for `adjoint`.
        own: as for `adjoint`.

    Returns:
        The first and the last row, (W, out) each, and the first and the last column, (H, out) each.
    """
    channels, height, width = response.shape[1:]
    rows, columns = torch.empty((2, width, channels)), torch.empty((2, height, channels))
    own_array = _NOTHING if own is None else _array(own)
    _border(_array(gradient), own_array, _array(response), rows.numpy(), columns.numpy())
    return rows[0], rows[1], columns[0], columns[1]


class _Before(NamedTuple):
    """What the transform of the input takes: see `_tiles_in`."""

    x: Array
    own: Array = _NOTHING
    response: Array = _NOTHING


class _After(NamedTuple):
    """What the transform of the output takes: see `_tiles_out`."""

    bias: Array = _NO_BIAS
    pooled: Array = _NOTHING


def _convolve(before: _Before, u: Tensor, y: Array, after: _After, padding: Padding) -> None:
    height, width, outgoing = y.shape
    incoming, across = u.shape[1], -(-width // 4)
    tiles = -(-height // 4) * across
    size = 36 * 4 * (incoming + outgoing)
    most = max(STRIP_BYTES // size, min(3 * max(incoming, outgoing) // 4, MOST_BYTES // size), 1)
    strips = -(-tiles // most)
    length = -(-tiles // strips)
    # torch's memory is aligned, and with it the products are the same each time.
    inputs, outputs = torch.empty(36 * length * incoming), torch.empty(36 * length * outgoing)
    beyond = _BEYOND[padding.rows], _BEYOND[padding.columns]
    numba.set_num_threads(min(torch.get_num_threads(), _MOST_THREADS))
    with _turn:
        for first in range(0, tiles, length):
            count = min(length, tiles - first)
            v = inputs[: 36 * count * incoming].view(36, count, incoming)
            m = outputs[: 36 * count * outgoing].view(36, count, outgoing)
            _tiles_in(*before, v.numpy(), first, height, width, *beyond)
            torch.bmm(v, u, out=m)
            _tiles_out(m.numpy(), y, *after, first)


def _empty(channels: int, height: int, width: int) -> Tensor:
    return torch.empty((1, height, width, channels)).permute(0, 3, 1, 2)


def _array(picture: Tensor) -> Array:
    """(1, C, H, W) as (H, W, C); on the same memory if it is channels_last, as all are that come from here."""
    array: Array = picture.permute(0, 2, 3, 1)[0].contiguous().numpy()
    return array


@numba.njit(
    "void(float32[:,:,::1], float32[:,:,::1], float32[:,:,::1], float32[:,:,::1], int64, int64, int64, int64, int64)",
    **_OPTIONS,
)
def _tiles_in(
    x: Array,
    own: Array,
    response: Array,
    v: Array,
    first: int,
    height: int,
    width: int,
    beyond_rows: int,
    beyond_columns: int,
) -> None:
    """Bᵀ d B of some tiles, the first of which has this number: d, (H, W, C), becomes v, (36, tiles, C).

    d is x, or where x has the size of a pooled picture, (H//2, W//2, C), a quarter of it for each of four positions;
    and `own`, if it is not empty; but 0 where the response is, if that one is not empty. Outside of the picture it is
    what `_BEYOND` says for rows and for columns.
    """
    channels, across = x.shape[2], (width + 3) // 4
    pooled = height > x.shape[0] or width > x.shape[1]
    step, share = (2, _QUARTER) if pooled else (1, _ONE)
    for t in numba.prange(v.shape[1]):
        y0, x0 = 4 * ((first + t) // across) - 1, 4 * ((first + t) % across) - 1
        half = np.empty((6, 6, channels), np.float32)
        d = np.empty((6, channels), np.float32)
        for j in range(6):
            column = x0 + j
            if beyond_columns == _REPEAT:
                column = min(max(column, 0), width - 1)
            elif beyond_columns == _WRAP:
                column %= width
            for i in range(6):
                row = y0 + i
                if beyond_rows == _REPEAT:
                    row = min(max(row, 0), height - 1)
                elif beyond_rows == _WRAP:
                    row %= height
                inside = 0 <= row < height and 0 <= column < width
                if inside and row // step < x.shape[0] and column // step < x.shape[1]:
                    for c in range(channels):
                        d[i, c] = share * x[row // step, column // step, c]
                else:
                    for c in range(channels):
                        d[i, c] = _ZERO
                if inside and own.shape[0] > 0:
                    for c in range(channels):
                        d[i, c] += own[row, column, c]
                if inside and response.shape[0] > 0:
                    for c in range(channels):
                        d[i, c] = d[i, c] if response[row, column, c] > _ZERO else _ZERO
            for c in range(channels):
                d1, d2, d3, d4 = d[1, c], d[2, c], d[3, c], d[4, c]
                half[0, j, c] = _FOUR * d[0, c] - _FIVE * d2 + d4
                a, b = d4 - _FOUR * d2, d3 - _FOUR * d1
                half[1, j, c], half[2, j, c] = a + b, a - b
                a, b = d4 - d2, _TWO * (d3 - d1)
                half[3, j, c], half[4, j, c] = a + b, a - b
                half[5, j, c] = _FOUR * d1 - _FIVE * d3 + d[5, c]
        for i in range(6):
            for c in range(channels):
                d1, d2, d3, d4 = half[i, 1, c], half[i, 2, c], half[i, 3, c], half[i, 4, c]
                v[6 * i, t, c] = _FOUR * half[i, 0, c] - _FIVE * d2 + d4
                a, b = d4 - _FOUR * d2, d3 - _FOUR * d1
                v[6 * i + 1, t, c], v[6 * i + 2, t, c] = a + b, a - b
                a, b = d4 - d2, _TWO * (d3 - d1)
                v[6 * i + 3, t, c], v[6 * i + 4, t, c] = a + b, a - b
                v[6 * i + 5, t, c] = _FOUR * d1 - _FIVE * d3 + half[i, 5, c]


@numba.njit("void(float32[:,:,::1], float32[:,:,::1], float32[::1], float32[:,:,::1], int64)", **_OPTIONS)
def _tiles_out(m: Array, y: Array, bias: Array, pooled: Array, first: int) -> None:
    """Aᵀ m A of some tiles, the first of which has this number: m, (36, tiles, C), becomes y, (H, W, C).

    With a bias, (C,), it is added and the ReLU taken; and where there is room for it, (H//2, W//2, C), the average.
    """
    height, width, channels = y.shape
    across = (width + 3) // 4
    rectified = bias.shape[0] > 0
    for t in numba.prange(m.shape[1]):
        y0, x0 = 4 * ((first + t) // across), 4 * ((first + t) % across)
        half = np.empty((4, 6, channels), np.float32)
        out = np.empty((4, channels), np.float32)
        for j in range(6):
            for c in range(channels):
                m1, m2, m3, m4 = m[6 + j, t, c], m[12 + j, t, c], m[18 + j, t, c], m[24 + j, t, c]
                a, b, e, f = m1 + m2, m1 - m2, m3 + m4, m3 - m4
                half[0, j, c], half[1, j, c] = m[j, t, c] + a + e, b + _TWO * f
                half[2, j, c], half[3, j, c] = a + _FOUR * e, b + _EIGHT * f + m[30 + j, t, c]
        for i in range(min(4, height - y0)):
            for c in range(channels):
                m1, m2, m3, m4 = half[i, 1, c], half[i, 2, c], half[i, 3, c], half[i, 4, c]
                a, b, e, f = m1 + m2, m1 - m2, m3 + m4, m3 - m4
                out[0, c], out[1, c] = half[i, 0, c] + a + e, b + _TWO * f
                out[2, c], out[3, c] = a + _FOUR * e, b + _EIGHT * f + half[i, 5, c]
            for k in range(min(4, width - x0)):
                if rectified:
                    for c in range(channels):
                        y[y0 + i, x0 + k, c] = max(out[k, c] + bias[c], _ZERO)
                else:
                    for c in range(channels):
                        y[y0 + i, x0 + k, c] = out[k, c]
        for i in range(y0 // 2, min(y0 // 2 + 2, pooled.shape[0])):
            for k in range(x0 // 2, min(x0 // 2 + 2, pooled.shape[1])):
                for c in range(channels):
                    above = y[2 * i, 2 * k, c] + y[2 * i, 2 * k + 1, c]
                    below = y[2 * i + 1, 2 * k, c] + y[2 * i + 1, 2 * k + 1, c]
                    pooled[i, k, c] = _QUARTER * (above + below)


@numba.njit(
    "void(float32[:,:,::1], float32[:,:,::1], float32[:,:,::1], float32[:,:,::1], float32[:,:,::1])",
    **{**_OPTIONS, "parallel": False},
)
def _border(x: Array, own: Array, response: Array, rows: Array, columns: Array) -> None:
    """The first and last row of d as it is in `_tiles_in`, (2, W, C), and its first and last column, (2, H, C).

    The loops are written twice: with a function for both, that one took six to eight times as long.
    """
    height, width, channels = response.shape
    step, share = (2, _QUARTER) if height > x.shape[0] or width > x.shape[1] else (1, _ONE)
    for side in range(2):
        for at in range(width + height):
            if at < width:
                row, column, d = side * (height - 1), at, rows[side, at]
            else:
                row, column, d = at - width, side * (width - 1), columns[side, at - width]
            if row // step < x.shape[0] and column // step < x.shape[1]:
                for c in range(channels):
                    d[c] = share * x[row // step, column // step, c]
            else:
                for c in range(channels):
                    d[c] = _ZERO
            if own.shape[0] > 0:
                for c in range(channels):
                    d[c] += own[row, column, c]
            for c in range(channels):
                d[c] = d[c] if response[row, column, c] > _ZERO else _ZERO
