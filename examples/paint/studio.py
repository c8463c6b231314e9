"""What the painters share: noise, colour, blur, a bristle brush and the light that falls on thick paint.

Every painter composes in *units*: the longest side of the picture is ``UNITS`` long, whatever its size in
pixels. ``Studio`` knows how many pixels a unit is. Pictures are painted ``SUPERSAMPLING`` times too large and
reduced at the end, which is all the antialiasing they need.

Colours are sRGB in [0, 1], float32. They are mixed in OKLab (Björn Ottosson, 2020,
https://bottosson.github.io/posts/oklab/), where the middle between two colours is not muddy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

Array = NDArray[np.floating[Any]]

UNITS = 640.0
SUPERSAMPLING = 2

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)
_FROM_LAB = np.linalg.inv(_TO_LAB)
_FROM_LMS = np.linalg.inv(_TO_LMS)


def colours(*codes: str) -> Array:
    """Read colours written as ``rrggbb``: (n, 3) in [0, 1]."""
    return np.array([[int(code[i : i + 2], 16) for i in (0, 2, 4)] for code in codes], np.float32) / 255


def oklab(rgb: Array) -> Array:
    """Convert sRGB to OKLab colours, (..., 3) to (..., 3); L in [0, 1], a and b about [-0.4, 0.4]."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((np.maximum(rgb, 0) + 0.055) / 1.055) ** 2.4)
    return (np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T).astype(np.float32)


def srgb(lab: Array) -> Array:
    """Convert OKLab to sRGB colours, (..., 3) to (..., 3), clipped to [0, 1]."""
    linear = np.clip((lab @ _FROM_LAB.T) ** 3 @ _FROM_LMS.T, 0, 1)
    rgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(rgb, np.float32)


def gradient(stops: Array, t: ArrayLike, at: Sequence[float] | None = None) -> Array:
    """Look up ``t`` in [0, 1] on a ramp of colours ``stops`` (n, 3) that lie ``at`` (default: evenly)."""
    positions = np.linspace(0, 1, len(stops)) if at is None else np.asarray(at)
    fine = np.linspace(0, 1, 1024)
    lab = oklab(stops)
    table = srgb(np.stack([np.interp(fine, positions, lab[:, i]) for i in range(3)], -1).astype(np.float32))
    return table[(np.clip(t, 0, 1) * 1023).astype(np.intp)]


def vary(rgb: Array, rng: np.random.Generator, light: float, hue: float) -> Array:
    """Move colours (..., 3) at random in OKLab, with these standard deviations of lightness and chroma."""
    lab = oklab(rgb)
    return srgb(lab + rng.normal(size=lab.shape).astype(np.float32) * np.array([light, hue, hue], np.float32))


def smoothstep(low: Array | float, high: Array | float, value: Array) -> Array:
    """Rise from 0 at ``low`` to 1 at ``high`` (which may be the lower one), a smooth cubic between."""
    t: Array = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def lerp(a: Array, b: Array, t: Array) -> Array:
    """Cover colours ``a`` (..., 3) with ``b`` of opacity ``t`` (...)."""
    return a + (b - a) * t[..., None]


def blur(image: Array, sigma: float) -> Array:
    """Blur (h, w) with a Gaussian of ``sigma`` pixels; the edges are reflected."""
    if sigma < 0.3:
        return image
    for axis in (0, 1):
        pad = min(int(3 * sigma) + 1, image.shape[axis] - 1)
        wide = np.pad(image, [(pad, pad) if i == axis else (0, 0) for i in (0, 1)], mode="reflect")
        n = wide.shape[axis]
        kernel = np.exp(-2 * (np.pi * sigma * np.fft.rfftfreq(n)) ** 2)
        spectrum = np.fft.rfft(wide, axis=axis) * (kernel[:, None] if axis == 0 else kernel)
        image = np.fft.irfft(spectrum, n, axis=axis).take(np.arange(pad, n - pad), axis).astype(np.float32)
    return image


def shade(rgb: Array, height: Array, strength: float, gloss: float = 0.0) -> Array:
    """Light a relief from the upper left: ``height`` (h, w) pixels, ``strength`` and ``gloss`` in [0, 1]."""
    down, right = np.gradient(height)
    slope = np.tanh((down + right).astype(np.float32) * 0.7)
    lit = rgb * (1 + strength * slope)[..., None]
    return np.asarray(np.clip(lit + (gloss * np.clip(slope, 0, 1) ** 3)[..., None], 0, 1), np.float32)


@dataclass(frozen=True)
class Studio:
    """A picture in the making: its size and the resolution at which it is painted."""

    size: int
    aspect: float = 1.25

    @property
    def pixel(self) -> float:
        """Painted pixels in one unit."""
        return self.size * SUPERSAMPLING / UNITS

    @property
    def width(self) -> float:
        """Units across."""
        return UNITS * min(1.0, self.aspect)

    @property
    def height(self) -> float:
        """Units down."""
        return UNITS / max(1.0, self.aspect)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of painted pixels."""
        return (
            round(self.size * self.height / UNITS) * SUPERSAMPLING,
            round(self.size * self.width / UNITS) * SUPERSAMPLING,
        )

    def visible(self, width: float) -> bool:
        """Tell whether a mark ``width`` units wide covers two pixels of the finished picture."""
        return width * self.pixel >= 2 * SUPERSAMPLING

    def plane(self) -> tuple[Array, Array]:
        """Return the coordinates x and y of every painted pixel, in units."""
        h, w = self.shape
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        return (x + 0.5) * np.float32(self.width / w), (y + 0.5) * np.float32(self.height / h)

    def noise(self, rng: np.random.Generator, cell: float, octaves: int = 4, stretch: float = 1.0) -> Array:
        """Fill the picture with fractal noise, about [-1, 1].

        Its largest features are ``cell`` units high and ``stretch`` times as wide.
        """
        h, w = self.shape
        total = np.zeros((h, w), np.float32)
        for octave in range(octaves):
            rows = int(self.height / cell * 2**octave) + 4
            columns = int(self.width / cell / stretch * 2**octave) + 4
            knots = Image.fromarray(rng.uniform(-1, 1, (rows, columns)).astype(np.float32))
            size = (self.width / cell / stretch * 2**octave, self.height / cell * 2**octave)
            box = (1.0, 1.0, 1.0 + size[0], 1.0 + size[1])
            total += np.asarray(knots.resize((w, h), Image.Resampling.BICUBIC, box=box)) / 2**octave
        return total

    def at(self, field: Array, x: Array, y: Array) -> Array:
        """Look up ``field`` (h, w, ...) at points given in units (nearest pixel; outside, the border's)."""
        h, w = self.shape
        column = np.clip(x * (w / self.width), 0, w - 1).astype(np.intp)
        row = np.clip(y * (h / self.height), 0, h - 1).astype(np.intp)
        result: Array = field[row, column]
        return result

    def scatter(self, rng: np.random.Generator, spacing: float, margin: float = 0.0) -> tuple[Array, Array]:
        """Scatter points about ``spacing`` units apart over the picture and a margin, in random order."""
        x, y = np.meshgrid(
            np.arange(-margin, self.width + margin + spacing, spacing),
            np.arange(-margin, self.height + margin + spacing, spacing),
        )
        points = np.stack([x, y], -1).reshape(-1, 2)
        points += rng.uniform(-0.5, 0.5, points.shape) * spacing
        points = rng.permutation(points).astype(np.float32)
        return points[:, 0], points[:, 1]

    def trace(self, angle: Array, x: Array, y: Array, length: ArrayLike, steps: int = 4) -> Array:
        """Follow ``angle`` (h, w) from points both ways: paths (n, 2 * steps + 1, 2), units."""
        stride = np.asarray(length, np.float32) / (2 * steps)
        halves = []
        for sign in (-1, 1):
            px, py = x, y
            half = []
            for _ in range(steps):
                a = self.at(angle, px, py)
                px, py = px + sign * stride * np.cos(a), py + sign * stride * np.sin(a)
                half.append(np.stack([px, py], -1))
            halves.append(half)
        return np.stack([*halves[0][::-1], np.stack([x, y], -1), *halves[1]], 1).astype(np.float32)

    def finish(self, rgb: Array) -> Image.Image:
        """Reduce the painted pixels (h, w, 3) to the size that was asked for."""
        h, w = self.shape
        eight_bit = (np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8)
        return Image.fromarray(eight_bit).resize(
            (w // SUPERSAMPLING, h // SUPERSAMPLING), Image.Resampling.LANCZOS
        )
