"""Marbled paper: drops of ink on water, drawn into waves and feathers with a stylus and a comb.

Every tool is a map of the plane that keeps areas (Aubrey Jaffer, *Mathematical Marbling*, 2012,
IEEE Computer Graphics and Applications 32(6), https://people.csail.mit.edu/jaffer/Marbling/). The picture is found
backwards: each point of the paper is carried back through the tools, last first, to the drops where its ink began.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .studio import Array, Studio, colours, gradient, lerp, shade, smoothstep, vary

INKS = colours(
    "12234f", "b3202c", "f3e9d2", "d9992b", "17707c", "f3e9d2", "7d1d3f", "e2653a", "2b4c9b", "9ccbc0"
)


def paint(size: int) -> Image.Image:
    """Paint the picture, its longest side ``size`` pixels."""
    studio = Studio(size)
    rng = np.random.default_rng(1646)
    x, y = studio.plane()
    x, y = x + 1.2 * studio.noise(rng, 60, 2), y + 1.2 * studio.noise(rng, 60, 2)
    pool = studio.noise(rng, 14, 4)
    bath = int(rng.integers(1 << 30))
    # Lines of ink get finer than a painted pixel: look at four points in each.
    step = 0.25 / studio.pixel
    points = [(x + i * step, y + j * step) for i, j in ((-1, 0.4), (-0.4, -1), (1, -0.4), (0.4, 1))]
    rgb = np.mean([_inked(studio, np.random.default_rng(bath), *point, pool) for point in points], axis=0)
    fibre = studio.noise(rng, 5, 3, stretch=1.6)
    paper = gradient(colours("efe2c4", "fbf3df"), 0.5 + 0.3 * fibre)
    specks = smoothstep(0.95, 1.15, studio.noise(rng, 4, 2))
    rgb = lerp(rgb, paper, np.clip(0.05 + 0.06 * fibre + 0.25 * specks, 0, 1))
    return studio.finish(shade(rgb, fibre * 0.35 * studio.pixel, 0.12))


def _inked(studio: Studio, rng: np.random.Generator, x: Array, y: Array, pool: Array) -> Array:
    """Find the colour at points x, y (h, w) of the paper: (h, w, 3)."""
    for cx, cy, radius, turn in (
        (150, 170, 105, 2.6),
        (455, 330, 125, -2.9),
        (520, 90, 62, 2.2),
        (235, 420, 70, -2.2),
    ):
        x, y = _whirl(x, y, cx, cy, radius, turn)
    x, y = _comb(x, y, 0.5 * np.pi, 26, 34, 4.5)
    x, y = _comb(x, y, 0.0, 64, -52, 9)
    x, y = _comb(x, y, 0.5 * np.pi, 64, 58, 14)
    ink, edge = _drops(studio, rng, x, y)
    rgb = vary(INKS, rng, 0.02, 0.006)[ink]
    # Ink thins towards the edge of a drop, where it gathers in a dark rim.
    rgb = rgb * (0.97 + 0.10 * np.clip(edge, 0, 1) + 0.05 * pool)[..., None]
    return lerp(rgb, colours("0d1630")[0], 0.35 * np.exp(-((edge / 0.09) ** 2)))


def _whirl(x: Array, y: Array, cx: float, cy: float, radius: float, turn: float) -> tuple[Array, Array]:
    """Undo a whirl of ``turn`` radians at (cx, cy) that fades over ``radius``."""
    dx, dy = x - cx, y - cy
    a = turn * np.exp(-((np.hypot(dx, dy) / radius) ** 2))
    return cx + dx * np.cos(a) - dy * np.sin(a), cy + dx * np.sin(a) + dy * np.cos(a)


def _comb(x: Array, y: Array, angle: float, spacing: float, pull: float, blunt: float) -> tuple[Array, Array]:
    """Undo a comb drawn along ``angle``: teeth every ``spacing`` pull the ink, less so ``blunt`` units aside."""
    cos, sin = np.cos(angle), np.sin(angle)
    aside = np.abs((-x * sin + y * cos) / spacing % 1 - 0.5) * spacing
    drag = pull * np.exp(-aside / blunt)
    return x - drag * cos, y - drag * sin


def _drops(studio: Studio, rng: np.random.Generator, x: Array, y: Array) -> tuple[np.ndarray, Array]:
    """Find the ink at each point and how far it lies inside its drop.

    Each new drop pushes what was there outwards and keeps its area: a point at distance d from the middle came from
    distance sqrt(d² - r²). Going back in time, a point stops at the first drop that holds it.
    """
    places = 80
    ink = np.zeros(x.shape, np.intp)
    edge = np.ones(x.shape, np.float32)
    todo = np.flatnonzero(np.ones(x.shape, bool))
    px, py = x.ravel().copy(), y.ravel().copy()
    flat_ink, flat_edge = ink.reshape(-1), edge.reshape(-1)
    centres = rng.uniform(-90, 90, (places, 2)) + rng.random((places, 2)) * (studio.width, studio.height)
    for k in range(places * 4):  # four drops at each place make rings
        cx, cy = centres[k // 4]
        radius = rng.uniform(17, 34)
        dx, dy = px - cx, py - cy
        square = dx * dx + dy * dy
        inside = square < radius**2
        flat_ink[todo[inside]] = (k * 3 + k // 4) % len(INKS)
        flat_edge[todo[inside]] = 1 - np.sqrt(square[inside]) / radius
        keep = ~inside
        todo, px, py, square, dx, dy = todo[keep], px[keep], py[keep], square[keep], dx[keep], dy[keep]
        shrink = np.sqrt(1 - radius**2 / square)
        px, py = cx + dx * shrink, cy + dy * shrink
    # What no drop holds was on the water before: broad bands.
    band = (px + 0.6 * py) / 21
    flat_ink[todo] = np.floor(band).astype(np.intp) * 3 % len(INKS)
    flat_edge[todo] = 1 - 2 * np.abs(band % 1 - 0.5)
    return ink, edge
