"""Sepia valley: hills, trees and curling clouds drawn with a pen in cross-hatching, over washes of bistre."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .studio import Array, Studio, blur, colours, gradient, lerp, shade, smoothstep

PAPER = colours("d9b98a", "ecd6ab", "f6e8c8")
WASH = colours("f3e2bd", "e2b981", "c08a52", "8a5730", "5b3520")
INK = colours("1f0e07", "43200d", "6b3a15")
# Base line, height, length of the hills, and how pale the air makes them. Back to front.
HILLS = (
    (226.0, 62.0, 210.0, 0.55),
    (266.0, 48.0, 150.0, 0.35),
    (318.0, 58.0, 240.0, 0.18),
    (384.0, 64.0, 310.0, 0.06),
    (468.0, 60.0, 270.0, 0.0),
)
CURLS = (
    (120.0, 96.0, 74.0, 3.4),
    (262.0, 60.0, 56.0, -3.0),
    (392.0, 118.0, 80.0, 3.6),
    (560.0, 76.0, 72.0, -3.4),
)


def paint(size: int) -> Image.Image:
    """Paint the picture, its longest side ``size`` pixels."""
    studio = Studio(size, aspect=1.36)
    rng = np.random.default_rng(1504)
    tone, angle = _plan(studio, rng)
    foxing = studio.noise(rng, 150, 4)
    fibre = studio.noise(rng, 4, 3)
    rgb = gradient(PAPER, 0.6 + 0.22 * foxing + 0.06 * fibre)
    # Washes: three flat tones with the dark rim that a drying puddle leaves.
    pool = blur(tone, 3 * studio.pixel) + 0.05 * studio.noise(rng, 36, 4)
    for level, strength in ((0.30, 0.26), (0.48, 0.24), (0.66, 0.30)):
        inside = smoothstep(level - 0.02, level + 0.02, pool)
        rim = np.exp(-(((pool - level - 0.015) / 0.014) ** 2))
        wash = gradient(WASH, level + 0.08 * foxing + 0.04 * fibre)
        rgb = rgb * (1 - (strength * inside + 0.16 * rim)[..., None] * (1 - wash))
    ink = _hatch(studio, rng, tone, angle)
    brown = gradient(INK, 0.45 + 0.5 * studio.noise(rng, 80, 3))
    rgb = lerp(rgb, brown, np.clip(ink * (0.9 + 0.1 * fibre), 0, 1))
    return studio.finish(shade(rgb, fibre * 0.5 * studio.pixel, 0.09))


def _plan(studio: Studio, rng: np.random.Generator) -> tuple[Array, Array]:
    """Plan how dark the drawing is, 0 to 1, and the direction of its lines (h, w)."""
    x, y = studio.plane()
    tone, angle = _clouds(studio, rng, x, y)
    for base, height, length, air in HILLS:
        ridge = base - height * (0.5 + 0.5 * np.sin(2 * np.pi * x / length + base)) ** 1.3
        ridge = ridge - 7 * np.sin(x / 19 + base) - 5 * studio.noise(rng, 26, 2)
        below = y - ridge
        relief = studio.noise(rng, 74, 4) + 0.014 * below
        fold = blur(relief.astype(np.float32), 2.2 * studio.pixel)
        down, right = (g * studio.pixel for g in np.gradient(fold))
        lit = np.clip(0.42 + 13 * (right * 0.8 + down * 0.25), 0, 1)
        dark = 0.10 + lit * 0.80 + 0.22 * np.exp(-below / 14) - 0.30 * smoothstep(14, 88, below)
        dark = dark * (1 - air) + 0.25 * air
        dark = np.maximum(dark, 0.23)
        inside = smoothstep(-0.8, 0.8, below)
        outline = np.exp(-((below / 1.6) ** 2)) * (1 - 0.7 * air)
        tone = np.maximum(tone * (1 - inside) + dark * inside, outline)
        # Lines run down the slope and bend with the folds, as on an old map.
        slope = np.arctan2(np.gradient(ridge, axis=1), np.gradient(x, axis=1))
        course = slope + 0.9 + 9 * right + 4 * down
        angle = np.where(below > 0, np.where(below < 3, slope, course), angle)
        tone, angle = _trees(studio, rng, tone, angle, x, y, ridge, height, air)
    return np.clip(tone, 0, 1), angle


def _clouds(studio: Studio, rng: np.random.Generator, x: Array, y: Array) -> tuple[Array, Array]:
    """Plan a sky of billows that curl: lines follow the curls."""
    u, v = x, y
    for cx, cy, radius, turn in CURLS:
        dx, dy = u - cx, v - cy
        a = turn * np.exp(-((np.hypot(dx, dy) / radius) ** 2))
        u, v = cx + dx * np.cos(a) - dy * np.sin(a), cy + dx * np.sin(a) + dy * np.cos(a)
    billow = np.sin(v / 17 + 1.4 * np.sin(u / 46)) + 0.5 * studio.noise(rng, 50, 3)
    soft = blur(billow.astype(np.float32), 1.5 * studio.pixel)
    down, right = np.gradient(soft)
    tone = 0.40 + 0.19 * soft + 0.10 * studio.noise(rng, 90, 3)
    return np.maximum(tone, 0.24) * (1 - 0.3 * smoothstep(150, 250, y)), np.arctan2(-right, down)


def _trees(
    studio: Studio,
    rng: np.random.Generator,
    tone: Array,
    angle: Array,
    x: Array,
    y: Array,
    ridge: Array,
    height: float,
    air: float,
) -> tuple[Array, Array]:
    """Plan trees on a hill: round crowns, light on the left, dark on the right, with a shadow beside them."""
    count = int(30 * (1 - air))
    scale = 0.45 + 0.75 * (1 - air) ** 2
    for _ in range(count):
        cx = rng.uniform(0, studio.width)
        cy = float(studio.at(ridge, np.full(1, cx), np.zeros(1))[0]) + rng.uniform(-2, 58) * scale
        wide, tall = rng.uniform(4.5, 8) * scale, rng.uniform(14, 30) * scale
        dx, dy = (x - cx) / wide, (y - cy + tall * 0.8) / tall
        flame = dx * (1 + 0.55 * dy) + 0.14 * np.sin(7 * dy + cx) + 0.07 * np.sin(17 * dy + 3 * dx)
        r = np.hypot(flame * (1.35 - 0.45 * dy), dy)
        inside = smoothstep(1.06, 0.97, r)
        dark = np.clip(0.58 + 0.55 * dx + 0.18 * dy, 0.12, 1) * (1 - 0.6 * air)
        rim = np.exp(-(((r - 1) / 0.10) ** 2)) * 0.8 * (1 - air)
        cast = np.exp(-((np.abs(dx - 1.3) / 1.3) ** 2) - ((y - cy - 1) / (0.22 * tall)) ** 2)
        tone = np.maximum(tone + 0.35 * cast * (1 - air), rim)
        tone = lerp(tone[..., None], np.maximum(dark, rim)[..., None], inside)[..., 0]
        angle = np.where(r < 1.1, np.pi / 2 + 0.5 * dx * dy + 0.35 * np.sin(6 * dy + cx), angle)
    return tone, angle


def _hatch(studio: Studio, rng: np.random.Generator, tone: Array, angle: Array) -> Array:
    """Draw the lines: along the form first, then across where it is darker, then again: ink (h, w), 0 to 1."""
    h, w = studio.shape
    fine = max(2, round(4 / studio.pixel))  # the pen is thinner than a painted pixel
    sheet = Image.new("L", (w * fine, h * fine))
    pen = ImageDraw.Draw(sheet)
    pixel = studio.pixel * fine
    wobble = 0.35 * studio.noise(rng, 30, 2)
    for turn, spacing, floor, length in (
        (0.0, 2.9, 0.10, 26),
        (0.0, 2.9, 0.34, 20),
        (0.62, 3.4, 0.46, 17),
        (-0.75, 3.4, 0.60, 14),
        (1.45, 3.3, 0.74, 10),
    ):
        x, y = studio.scatter(rng, spacing, margin=4)
        dark = studio.at(tone, x, y)
        keep = rng.random(x.size) < (dark - floor) * 1.7
        x, y, dark = x[keep], y[keep], dark[keep]
        lengths = length * rng.uniform(0.5, 1.3, x.size)
        paths = studio.trace(angle + turn + wobble, x, y, lengths) * pixel
        pressure = np.sin(np.linspace(0.25, np.pi - 0.12, paths.shape[1] - 1)) * 0.8 + 0.2
        weights = (0.45 + 0.75 * dark) * rng.uniform(0.75, 1.25, x.size)
        shades = (170 + 85 * np.clip(dark + rng.uniform(-0.3, 0.3, x.size), 0, 1)).astype(int)
        for path, weight, value in zip(paths.tolist(), weights, shades.tolist(), strict=True):
            for k, force in enumerate(pressure):
                line = (*path[k], *path[k + 1])
                pen.line(line, fill=value, width=max(1, round(float(weight * force) * pixel)))
    return np.asarray(sheet.resize((w, h), Image.Resampling.BOX), np.float32) / 255
