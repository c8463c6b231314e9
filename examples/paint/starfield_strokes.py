"""Starfield: a night of thick brush strokes that swirl around stars, above hills and a lake."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .brush import Impasto
from .studio import Array, Studio, colours, gradient, lerp, smoothstep, vary

# x, y, radius (units), sense of rotation.
STARS = (
    (418.0, 128.0, 62.0, 1),
    (120.0, 212.0, 46.0, -1),
    (236.0, 84.0, 40.0, 1),
    (556.0, 232.0, 40.0, -1),
    (574.0, 52.0, 34.0, 1),
    (60.0, 60.0, 34.0, 1),
    (300.0, 226.0, 30.0, -1),
    (330.0, 22.0, 22.0, -1),
    (480.0, 290.0, 20.0, 1),
    (196.0, 296.0, 18.0, 1),
    (14.0, 300.0, 22.0, 1),
)
HORIZON = 372.0
NIGHT = colours("0a1440", "10256b", "1b3f9c", "2a63c4", "3f8fd8", "7cc3e6")
HALO = colours("fffbe0", "ffe874", "fdc22e", "f59a1e", "e9c64a", "a5d89a", "4fb3c4", "2a63c4")
HILLS = colours("0a1033", "16245c", "1d3f7e", "257a8c", "5fb39a", "8a6fd0")
LAKE = colours("0c1c52", "16408f", "2a74b8", "58aecd", "f3c64e")
ACCENTS = colours("2fc4c0", "7460d6", "bfe8ee", "122477", "5aa9ee", "f7cf55")


def paint(size: int) -> Image.Image:
    """Paint the picture, its longest side ``size`` pixels."""
    studio = Studio(size)
    rng = np.random.default_rng(1889)
    plan, angle, hurry = _plan(studio, rng)
    canvas = Impasto(studio, colours("13205a")[0], rng)
    for width, length, spacing, body in (
        (46, 130, 26, 0.7),
        (27, 92, 14, 0.9),
        (15, 62, 8.5, 1.1),
        (8.5, 40, 6, 1.2),
    ):
        if not studio.visible(width):
            continue
        x, y = studio.scatter(rng, spacing, margin=20)
        if width < 10:  # the last layer is accents and contours: leave the broad strokes to be seen
            keep = rng.random(x.size) < 0.25 + 0.6 * studio.at(hurry, x, y)
            x, y = x[keep], y[keep]
        near = studio.at(hurry, x, y)
        n = x.size
        lengths = length * rng.uniform(0.65, 1.25, n) * (1 - 0.5 * near)
        widths = width * rng.uniform(0.75, 1.2, n) * (1 - 0.25 * near)
        paint_ = vary(studio.at(plan, x, y), rng, 0.035, 0.016)
        accent = rng.random(n) < 0.07 * (1 - near)
        chosen = ACCENTS[rng.integers(0, len(ACCENTS), n)]
        paint_ = lerp(paint_, chosen, (accent * 0.75).astype(np.float32))
        streak = vary(paint_, rng, 0.11, 0.03)
        canvas.strokes(studio.trace(angle, x, y, lengths), widths, paint_, streak, body=body, dry=0.35)
    _cores(canvas, rng)
    return studio.finish(canvas.lit(0.42, 0.3))


def _plan(studio: Studio, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Plan colour (h, w, 3), direction of the strokes (h, w), and how busy it is (h, w), 0 to 1."""
    x, y = studio.plane()
    drift = studio.noise(rng, 260, 2)
    tone = studio.noise(rng, 120, 4)
    wave = 0.42 * np.sin(x / 95 + 1.5 * drift) + 0.5 * drift
    band = (
        150 + 0.34 * (320 - x) + 46 * np.sin(x / 120)
    )  # the river of light, from the lower left to the upper right
    glow = np.exp(-(((y - band) / 62) ** 2))
    calm = np.ones_like(x)
    for sx, sy, radius, _ in STARS:
        calm *= 1 - np.exp(-(((x - sx) ** 2 + (y - sy) ** 2) / (1.25 * radius) ** 2))
    u, v = calm * np.cos(wave - 0.32), calm * np.sin(wave - 0.32)
    sky = gradient(NIGHT, 0.2 + 0.14 * y / HORIZON + 0.15 * tone + 0.6 * glow * (0.75 + 0.5 * tone))
    busy = 0.25 * glow
    for sx, sy, radius, sense in STARS:
        dx, dy = x - sx, y - sy
        r = np.hypot(dx, dy) + 1e-3
        pull = 2.6 * np.exp(-((r / (radius * 1.7)) ** 2)) * sense
        u, v = u - pull * dy / r, v + pull * dx / r
        rings = r / radius + 0.05 * np.sin(6 * np.arctan2(dy, dx) + r / 5)
        halo = gradient(HALO, rings / 1.32 + 0.075 * np.cos(rings * 14))
        sky = lerp(sky, halo, smoothstep(1.6, 1.1, rings))
        busy = np.maximum(busy, np.exp(-((r / (radius * 1.1)) ** 2)))
    far = HORIZON - 38 - 30 * np.sin(x / 88 + 0.6) - 14 * np.sin(x / 31)
    front = HORIZON - 2 - 17 * np.sin(x / 61 + 2.2) - 6 * np.sin(x / 23)
    shore = HORIZON + 30 + 5 * np.sin(x / 70)
    plan, angle = sky, np.arctan2(v, u)
    for crest, low, high in ((far, 0.15, 0.85), (front, 0.0, 0.62)):
        inside = smoothstep(-3, 3, y - crest)
        depth = np.clip((y - crest) / 70, 0, 1)
        hill = gradient(HILLS, low + (high - low) * (1 - depth) ** 3 + 0.22 * tone)
        slope = np.arctan2(np.gradient(crest, axis=1), np.gradient(x, axis=1))
        plan = lerp(plan, hill, inside)
        angle = np.where(inside > 0.5, slope + 0.35 * tone, angle)
    reflection = np.zeros_like(x)
    for sx, _, radius, _ in STARS:
        sway = 8 * np.sin(y / 9 + sx)
        reflection = np.maximum(reflection, np.exp(-(((x - sx + sway) / (radius * 0.5)) ** 2)) * radius / 50)
    ripple = 0.5 + 0.5 * np.sin(y / 3.4 + 4 * tone)
    water = gradient(LAKE, 0.12 + 0.2 * tone + 0.2 * ripple + 0.8 * reflection * (0.35 + 0.65 * ripple))
    inside = smoothstep(-2, 2, y - shore)
    plan = lerp(plan, water, inside)
    angle = np.where(inside > 0.5, 0.12 * np.sin(x / 50 + y / 13) + 0.15 * tone, angle)
    busy = np.where(inside > 0.5, 0.3 + 0.7 * np.clip(reflection, 0, 1), busy)
    return plan, angle.astype(np.float32), np.clip(busy, 0, 1).astype(np.float32)


def _cores(canvas: Impasto, rng: np.random.Generator) -> None:
    """Paint the hearts of the stars: short thick dabs that wind inwards."""
    for sx, sy, radius, sense in STARS:
        for turn in np.arange(0, 2.6, 0.16):
            r = radius * (0.56 - 0.2 * turn)
            if r < 1:
                break
            a = 2 * np.pi * turn * sense + np.linspace(0, 0.85, 7) * sense + rng.uniform(-0.2, 0.2)
            path = np.stack([sx + r * np.cos(a), sy + r * np.sin(a)], -1).astype(np.float32)
            colour = gradient(HALO[:4], np.float32(r / radius * 1.6))
            light = vary(colour, rng, 0.05, 0.012)
            canvas.stroke(path, radius * 0.17 + 2, light, vary(light, rng, 0.1, 0.02), body=1.4, dry=0.2)
