"""Rose: a window of coloured glass in lead, a rose of petals amid flowing panes, with the sun behind it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .studio import Array, Studio, blur, colours, gradient, lerp, shade, smoothstep, vary

CENTRE = (258.0, 226.0)
# Radius and number of panes of each ring of the rose.
# then the colours of its panes, in turn.
RINGS = (
    (0, 1, (0,)),
    (26, 8, (1,)),
    (58, 16, (3, 2)),
    (94, 16, (1, 5)),
    (130, 32, (4, 3)),
    (166, 32, (7, 2, 6, 1)),
    (203, 32, (3, 4)),
)
ROSE = colours("fff0a8", "ffc226", "f4761f", "d41c2f", "8c1157", "f2468a", "5a1a8c", "2f1f9a")
NIGHT = colours("1a1fa0", "0d57c9", "0e8fd6", "12b3b0", "1fa05a", "7cc83f", "0a7a86", "3a1c9c")
JEWELS = colours("e3172f", "ffb81c", "12a66a", "8f2fc4", "ff6a1f", "f7e27a")


def paint(size: int) -> Image.Image:
    """Paint the picture, its longest side ``size`` pixels."""
    studio = Studio(size)
    rng = np.random.default_rng(1225)
    x, y = studio.plane()
    seeds, hues = _seeds(studio, rng)
    bend = 4.0  # the saw follows no ruler: bend the space in which the panes are cut
    bent_x, bent_y = x + bend * studio.noise(rng, 70, 2), y + bend * studio.noise(rng, 70, 2)
    pane, edge, joint = _panes(bent_x, bent_y, seeds)
    glass = hues[pane]
    sx, sy = seeds[pane, 0], seeds[pane, 1]

    streaks = _streaks(studio, rng, pane, len(seeds))
    lean = rng.uniform(0, 2 * np.pi, len(seeds))[pane]
    slope = ((x - sx) * np.cos(lean) + (y - sy) * np.sin(lean)) / 26
    glow = np.exp(-np.hypot(x - CENTRE[0], y - CENTRE[1]) / 260)
    light = 0.72 + 0.16 * slope + 0.26 * streaks + 0.34 * glow + 0.14 * smoothstep(0, 12, edge)
    glass = lerp(glass, glass[..., [0, 1, 2]] ** 0.6, np.clip(0.55 * slope + 0.5 * streaks, 0, 1))
    glass = glass * light[..., None]
    ripple = studio.noise(rng, 9, 3) + 0.5 * studio.noise(rng, 30, 2)
    glass = shade(glass, ripple * 1.3 * studio.pixel / 2, 0.16, 0.10)

    # Lead: a rounded came with solder at the joints; the glass is grimy beside it.
    breadth = 2.1 + 0.5 * studio.noise(rng, 40, 2) + 1.3 * smoothstep(7, 1, joint)
    ring = np.abs(np.hypot(bent_x - CENTRE[0], bent_y - CENTRE[1]) - 221)
    edge = np.minimum(edge, np.maximum(ring - 2.4, 0))
    glass = glass * (0.5 + 0.5 * smoothstep(0, 5.5, edge - breadth))[..., None]
    came = smoothstep(breadth + 0.4, breadth - 0.4, edge)
    bulge = np.sqrt(np.clip(1 - (edge / (breadth + 0.3)) ** 2, 0, 1)) * 3.2 * studio.pixel
    metal = gradient(colours("07080f", "1b1d2a", "34384a"), 0.45 + 0.3 * studio.noise(rng, 6, 3))
    metal = shade(metal, bulge + 0.4 * studio.noise(rng, 3, 2), 0.75, 0.42)

    halo = np.stack([blur(glass[..., i] * (1 - came), 9 * studio.pixel) for i in range(3)], -1)
    picture = lerp(glass, metal, came)
    picture = 1 - (1 - np.clip(picture, 0, 1)) * (1 - 0.30 * halo)
    return studio.finish(picture)


def _seeds(studio: Studio, rng: np.random.Generator) -> tuple[Array, Array]:
    """Place and colour the panes, (n, 2) and (n, 3): rings of the rose, then a swarm that keeps its distance."""
    seeds: list[tuple[float, float]] = []
    rose: list[int] = []
    for i, (radius, count, inks) in enumerate(RINGS):
        for k in range(count):
            a = 2 * np.pi * (k + 0.5 * (i % 2)) / count + 0.1
            r = radius + (6.5 * (-1) ** k if radius > 120 else 0)
            rose.append(inks[k % len(inks)])
            seeds.append((CENTRE[0] + r * np.cos(a), CENTRE[1] + r * np.sin(a)))
    tries = rng.random((9000, 2)) * (studio.width + 60, studio.height + 60) - 30
    for px, py in tries:
        away = np.hypot(px - CENTRE[0], py - CENTRE[1])
        room = 23 + 9 * np.sin(px / 47 + py / 63)
        if away > 238 and all((px - a) ** 2 + (py - b) ** 2 > room**2 for a, b in seeds):
            seeds.append((float(px), float(py)))
    places = np.array(seeds, np.float32)
    hues = np.concatenate([ROSE[rose], _outside(places[len(rose) :], rng)])
    return places, vary(hues, rng, 0.045, 0.018)


def _outside(seeds: Array, rng: np.random.Generator) -> Array:
    """Choose colours (n, 3) for the panes around the rose: bands of blue and green that flow, and some jewels."""
    flow = 0.5 + 0.5 * np.sin(seeds[:, 0] / 75 + 1.3 * np.sin(seeds[:, 1] / 70) + seeds[:, 1] / 110)
    jewel = rng.random(len(seeds)) < 0.16
    jewels = JEWELS[rng.integers(0, len(JEWELS), len(seeds))]
    return np.where(jewel[:, None], jewels, NIGHT[(flow * 7.99).astype(int)])


def _panes(x: Array, y: Array, seeds: Array) -> tuple[np.ndarray, Array, Array]:
    """Find each point's pane, its distance to the nearest border and, roughly, to the nearest joint, units."""
    shape = (3, *x.shape)
    near = np.full(shape, np.inf, np.float32)
    who = np.zeros(shape, np.int32)
    for k, (sx, sy) in enumerate(seeds):
        rows = np.flatnonzero(np.abs(y[:, 0] - sy) < 110)
        columns = np.flatnonzero(np.abs(x[0] - sx) < 110)
        if not rows.size or not columns.size:
            continue
        window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        d = np.hypot(x[window] - sx, y[window] - sy)
        n, w = near[(slice(None), *window)], who[(slice(None), *window)]
        first, second, third = d < n[0], d < n[1], d < n[2]
        n[2] = np.where(second, n[1], np.where(third, d, n[2]))
        w[2] = np.where(second, w[1], np.where(third, k, w[2]))
        n[1] = np.where(first, n[0], np.where(second, d, n[1]))
        w[1] = np.where(first, w[0], np.where(second, k, w[1]))
        n[0] = np.where(first, d, n[0])
        w[0] = np.where(first, k, w[0])

    def border(other: int) -> Array:
        gap = np.hypot(*np.moveaxis(seeds[who[0]] - seeds[who[other]], -1, 0))
        return np.asarray((near[other] ** 2 - near[0] ** 2) / (2 * np.maximum(gap, 1e-3)))

    return who[0], border(1), border(2)


def _streaks(studio: Studio, rng: np.random.Generator, pane: np.ndarray, count: int) -> Array:
    """Streak the glass along one of a few directions in each pane: (h, w), about [-1, 1]."""
    layers = [
        studio.noise(rng, 7, 3, stretch=9),
        studio.noise(rng, 50, 3, stretch=0.14),
        studio.noise(rng, 22, 3),
    ]
    which = rng.integers(0, len(layers), count)[pane]
    return np.asarray(np.choose(which, layers))
