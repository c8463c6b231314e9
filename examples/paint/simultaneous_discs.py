"""Simultaneous discs: rings of colour cut into arcs, and facets of light that overlap them, in oil on canvas."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .brush import Impasto
from .studio import Array, Studio, colours, lerp, oklab, smoothstep, srgb, vary

# x, y, radius of the discs, the number of rings; the first lie at the bottom.
DISCS = (
    (86.0, 108.0, 168.0, 7),
    (566.0, 420.0, 190.0, 8),
    (420.0, 168.0, 214.0, 9),
    (176.0, 372.0, 196.0, 8),
    (330.0, 300.0, 96.0, 5),
    (592.0, 92.0, 92.0, 5),
    (30.0, 460.0, 84.0, 4),
)
WARM = colours("e8281e", "f6841c", "fcc419", "f7e9c4", "d93a6a", "b3142e", "f4a3a0", "e2571b")
COOL = colours("17307f", "1f6fc0", "19a39a", "f3ecd6", "0f7a4b", "5a2f8f", "8cc9d6", "0e1b44")
GROUND = colours("f0e2c0", "e7b25a", "cf5a34", "2f6f8f", "8a2f4f", "7aa66a", "24305e")


def paint(size: int) -> Image.Image:
    """Paint the picture, its longest side ``size`` pixels."""
    studio = Studio(size, aspect=1.12)
    rng = np.random.default_rng(1912)
    x, y = studio.plane()
    x = x + 1.6 * studio.noise(rng, 80, 2)
    y = (y + 1.6 * studio.noise(rng, 80, 2)) * np.float32(512 / studio.height)
    rgb, angle = _facets(studio, rng, x, y)
    for disc in DISCS:
        rgb, angle = _disc(rng, rgb, angle, x, y, *disc)
    rgb = _planes(rng, rgb, x, y)
    return studio.finish(_oil(studio, rng, rgb, angle))


def _facets(studio: Studio, rng: np.random.Generator, x: Array, y: Array) -> tuple[Array, Array]:
    """Split the ground by straight cuts into facets that darken towards one edge: colour, direction of the brush."""
    facet = np.zeros(x.shape, np.int64)
    nearest = np.full(x.shape, 1e3, np.float32)
    fade = np.zeros(x.shape, np.float32)
    angle = np.zeros(x.shape, np.float32)
    for cut in range(13):
        a = rng.uniform(0, np.pi)
        offset = (x - rng.uniform(0, 640)) * np.cos(a) + (y - rng.uniform(0, 512)) * np.sin(a)
        facet = facet * 2 + (offset > 0)
        closer = np.abs(offset) < nearest
        nearest = np.where(closer, np.abs(offset), nearest)
        fade = np.where(closer, np.where(offset > 0, np.exp(-offset / 34), 0.25 * np.exp(offset / 60)), fade)
        angle = np.where(facet % 3 == cut % 3, a + np.pi / 2, angle)
    _, index = np.unique(facet, return_inverse=True)
    index = index.reshape(x.shape)
    base = vary(GROUND[rng.integers(0, len(GROUND), int(index.max()) + 1)], rng, 0.03, 0.01)[index]
    return lerp(base, base * 0.45 + colours("1a1f55")[0] * 0.25, np.clip(fade, 0, 1) * 0.8), angle


def _disc(
    rng: np.random.Generator,
    rgb: Array,
    angle: Array,
    x: Array,
    y: Array,
    cx: float,
    cy: float,
    radius: float,
    rings: int,
) -> tuple[Array, Array]:
    """Lay one disc: each ring is cut into arcs, warm against cool, light against dark."""
    dx, dy = x - cx, y - cy
    r, a = np.hypot(dx, dy), np.arctan2(dy, dx)
    bounds = np.linspace(0, 1, rings + 1) ** 0.8 * radius * (1 + 0.05 * np.sin(np.arange(rings + 1) * 2.4))
    bounds[-1] = radius
    axis = rng.uniform(0, 2 * np.pi)
    for ring in range(rings, 0, -1):
        outer, inner = bounds[ring], bounds[ring - 1] if ring > 1 else 0.0
        quarters = 4 if ring > 1 else 2
        jog = axis + rng.choice([0.0, 0.0, np.pi / 4, 0.35])
        sector = np.floor((a - jog) / (2 * np.pi) * quarters + 8).astype(np.intp) % quarters
        warm = vary(WARM[rng.permutation(len(WARM))[:quarters]], rng, 0.02, 0.01)
        cool = vary(COOL[rng.permutation(len(COOL))[:quarters]], rng, 0.02, 0.01)
        picks = np.where((np.arange(quarters) + ring)[:, None] % 2 == 0, warm, cool)
        colour = picks[sector]
        sweep = ((a - jog) / (2 * np.pi) * quarters) % 1
        inward = (r - inner) / (outer - inner)
        shadow = 0.42 * smoothstep(0.5, 1.0, sweep) + 0.20 * smoothstep(0.35, 0.0, inward)
        light = 0.30 * smoothstep(0.4, 0.0, sweep)
        colour = lerp(colour, colour * 0.42 + colours("140f3c")[0] * 0.2, shadow)
        colour = lerp(colour, colours("fff3cf")[0], light)
        rgb = lerp(rgb, colour, smoothstep(0.6, -0.6, r - outer))
    inside = r < radius
    return rgb, np.where(inside, a + np.pi / 2, angle)


def _planes(rng: np.random.Generator, rgb: Array, x: Array, y: Array) -> Array:
    """Lay translucent planes of light and shade across everything: each fades away from its one sharp edge."""
    lab = oklab(rgb)
    for k in range(13):
        a = rng.uniform(0, 2 * np.pi)
        px, py = rng.uniform(60, 580), rng.uniform(50, 460)
        across = (x - px) * np.cos(a) + (y - py) * np.sin(a)
        along = -(x - px) * np.sin(a) + (y - py) * np.cos(a)
        long = rng.uniform(60, 170)
        lean = across * rng.uniform(-0.5, 0.5)
        mask = smoothstep(-0.6, 0.6, across) * np.exp(-np.maximum(across, 0) / rng.uniform(30, 80))
        mask = mask * smoothstep(0.8, -0.8, np.abs(along + lean) - long)
        shift = np.array(
            [[0.16, 0, 0.03], [-0.20, 0.01, -0.05], [0.05, 0.08, 0.06], [0.0, -0.06, -0.05]], np.float32
        )
        lab = lab + shift[k % 4] * mask[..., None]
    return srgb(lab)


def _oil(studio: Studio, rng: np.random.Generator, plan: Array, angle: Array) -> Array:
    """Go over the plan with a flat brush, then lay bare the weave of the canvas: (h, w, 3)."""
    canvas = Impasto(studio, plan, rng)
    for width, length, spacing in ((13, 44, 9.5), (7, 26, 6.0)):
        if not studio.visible(width):
            continue
        x, y = studio.scatter(rng, spacing, margin=8)
        # Where colours meet, the brush is left out: the edges stay sharp.
        own = studio.at(plan, x, y)
        paths = studio.trace(angle, x, y, length * rng.uniform(0.6, 1.2, x.size))
        ends = np.stack([studio.at(plan, paths[:, i, 0], paths[:, i, 1]) for i in (0, 2, 6, 8)])
        true = np.abs(ends - own).max((0, 2)) < 0.16
        paint_ = vary(own[true], rng, 0.022, 0.012)
        widths = width * rng.uniform(0.6, 1.1, int(true.sum()))
        canvas.strokes(paths[true], widths, paint_, vary(paint_, rng, 0.06, 0.02), body=0.8, dry=0.55)
    x, y = studio.plane()
    weave = np.sin(x * 2.1 + 0.8 * studio.noise(rng, 40, 2)) * np.sin(
        y * 2.1 + 0.8 * studio.noise(rng, 40, 2)
    )
    thin = np.clip(0.6 - canvas.thickness / (3 * studio.pixel), 0.15, 0.6)
    canvas.thickness += (weave * thin * 0.8 * studio.pixel).astype(np.float32)
    return canvas.lit(0.3, 0.16)
