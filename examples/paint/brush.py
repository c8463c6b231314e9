"""A flat bristle brush and the thick paint that it leaves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .studio import Array, Studio, lerp, shade

Indices = NDArray[np.intp]

_LENGTH, _BREADTH = 1024, 512


class Impasto:
    """Paint on a canvas: colour (h, w, 3) and thickness (h, w) in pixels."""

    def __init__(self, studio: Studio, ground: Array, rng: np.random.Generator) -> None:
        self.studio = studio
        self.rgb = np.ascontiguousarray(np.broadcast_to(ground, (*studio.shape, 3)), np.float32).copy()
        self.thickness = np.zeros(studio.shape, np.float32)
        self._rng = rng
        self._bristles = _bristle_texture(rng)

    def stroke(
        self,
        path: Array,
        width: float,
        colour: Array,
        streak: Array,
        *,
        body: float = 1.0,
        dry: float = 0.3,
        taper: float = 0.0,
    ) -> None:
        """Paint one stroke along ``path`` (n, 2), units.

        Args:
            path: the middle of the brush, first to last.
            width: of the brush, in units.
            colour: of the paint, (3,).
            streak: of the paint that was not mixed in quite, (3,): it shows along some bristles.
            body: how thick the paint is; 1 leaves ridges about a tenth of the width high.
            dry: how much the brush runs dry towards the end, 0 to 1.
            taper: how much both ends narrow, 0 (flat brush) to 1 (pointed).
        """
        pixel = self.studio.pixel
        points = path * pixel
        radius = max(width * pixel / 2, 0.8)
        rows, columns, along, across, total = _ribbon(points, radius, self.studio.shape)
        # The generator must advance equally whether or not the stroke falls outside the canvas.
        shift_u, shift_v = self._rng.integers(0, _LENGTH), self._rng.integers(0, _BREADTH)
        if rows.size == 0:
            return
        grain = 2.0  # texture cells in a unit: bristles stay the same size under every brush and resolution
        u = ((along / pixel * grain).astype(np.intp) + shift_u) % _LENGTH
        v = ((across / pixel * grain).astype(np.intp) + shift_v) % _BREADTH
        hair = self._bristles[v, u]
        slow = self._bristles[v, (u // 8 + 512) % _LENGTH]
        progress = np.clip(along / max(total, 1e-3), 0, 1)
        edge = radius * (1 - taper * (2 * progress - 1) ** 2) * (0.84 + 0.16 * slow)
        ragged = radius * 0.9
        alpha = np.clip((edge - np.abs(across)) / 1.3 + 0.5, 0, 1)
        alpha *= np.clip((along + radius * 0.5 - ragged * slow) / (0.25 * radius + 1), 0, 1)
        alpha *= np.clip((total + radius * 0.5 - along - ragged * hair) / (0.35 * radius + 1), 0, 1)
        alpha *= np.clip(1.2 - dry * (0.35 + 1.25 * progress**2) * (1.6 * (1 - hair)), 0, 1)
        mixed = colour + (streak - colour) * np.clip(1.8 * slow - 0.65, 0, 1)[:, None]
        mixed *= (0.93 + 0.14 * hair)[:, None]
        self.rgb[rows, columns] = lerp(self.rgb[rows, columns], mixed, alpha)
        rim = 1 + 0.5 * (np.abs(across) / radius) ** 4
        ridge = body * (0.5 + 0.11 * radius) * (0.25 + 0.75 * hair) * rim
        old = self.thickness[rows, columns]
        self.thickness[rows, columns] = old + (0.35 * old + ridge - old) * alpha

    def strokes(
        self,
        paths: Array,
        widths: Array,
        colour: Array,
        streak: Array,
        *,
        body: float = 1.0,
        dry: float = 0.3,
    ) -> None:
        """Paint strokes in order: ``paths`` (k, n, 2), ``widths`` (k,), ``colour`` and ``streak`` (k, 3)."""
        for path, width, one, other in zip(paths, widths, colour, streak, strict=True):
            self.stroke(path, float(width), one, other, body=body, dry=dry)

    def lit(self, strength: float = 0.32, gloss: float = 0.25) -> Array:
        """Return the canvas (h, w, 3) under light from the upper left."""
        return shade(self.rgb, self.thickness / max(self.studio.pixel / 2, 0.25), strength, gloss)


def _bristle_texture(rng: np.random.Generator) -> Array:
    """Make up how much paint each bristle carries, [0, 1]: (breadth, length), streaks along the length."""
    spectrum_along = np.exp(-0.5 * (np.fft.fftfreq(_LENGTH) * 40) ** 2) + 0.05
    across = np.fft.fftfreq(_BREADTH)[:, None]
    spectrum_across = np.exp(-0.5 * (across * 5) ** 2) + 0.6 * np.exp(-0.5 * (across * 16) ** 2)
    noise = np.fft.fft2(rng.normal(size=(_BREADTH, _LENGTH)))
    texture = np.fft.ifft2(noise * spectrum_along * spectrum_across).real
    ranks = texture / texture.std()
    return np.asarray(np.clip(0.5 + 0.28 * ranks, 0, 1), np.float32)


def _ribbon(
    points: Array, radius: float, shape: tuple[int, int]
) -> tuple[Indices, Indices, Array, Array, float]:
    """Find the pixels within ``radius`` of a line (n, 2): rows, columns, distance along, across, length."""
    h, w = shape
    low = np.maximum(np.floor(points.min(0) - radius - 1), 0).astype(int)
    high = np.minimum(np.ceil(points.max(0) + radius + 2), [w, h]).astype(int)
    nothing = np.zeros(0, np.intp)
    empty = np.zeros(0, np.float32)
    steps = np.diff(points, axis=0)
    lengths = np.maximum(np.hypot(steps[:, 0], steps[:, 1]), 1e-4)
    total = float(lengths.sum())
    if (high <= low).any():
        return nothing, nothing, empty, empty, total
    extent = (high[1] - low[1], high[0] - low[0])
    nearest = np.full(extent, np.inf, np.float32)
    along = np.zeros(extent, np.float32)
    across = np.zeros(extent, np.float32)
    start = 0.0
    last = len(steps) - 1
    for k, (point, step, length) in enumerate(zip(points[:-1], steps, lengths, strict=True)):
        ends = np.stack([point, point + step])
        a = np.maximum(np.floor(ends.min(0) - radius - 1).astype(int), low)
        b = np.minimum(np.ceil(ends.max(0) + radius + 2).astype(int), high)
        if (b <= a).any():
            start += float(length)
            continue
        window = np.s_[a[1] - low[1] : b[1] - low[1], a[0] - low[0] : b[0] - low[0]]
        dx = np.arange(a[0], b[0], dtype=np.float32)[None, :] + (0.5 - point[0])
        dy = np.arange(a[1], b[1], dtype=np.float32)[:, None] + (0.5 - point[1])
        cos, sin = step / length
        t = dx * cos + dy * sin
        side = dy * cos - dx * sin
        # The first and the last piece go on straight beyond their ends, so that a flat brush has flat ends.
        clamped = np.clip(t, -radius if k == 0 else 0.0, length + radius if k == last else length)
        distance = (t - clamped) ** 2 + side**2
        closer = distance < nearest[window]
        nearest[window] = np.where(closer, distance, nearest[window])
        along[window] = np.where(closer, start + clamped, along[window])
        across[window] = np.where(closer, np.copysign(np.sqrt(distance), side), across[window])
        start += float(length)
    rows, columns = np.nonzero(nearest <= radius * radius)
    return rows + low[1], columns + low[0], along[rows, columns], across[rows, columns], total
