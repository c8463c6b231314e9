"""Pointillist dusk: poplars, a river and a meadow at sunset, in dots of unmixed complementary colours."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .studio import Array, Studio, colours, gradient, lerp, oklab, shade, smoothstep, srgb

SUN = (430.0, 150.0)
HORIZON = 196.0
SHORE = 292.0
SKY = colours("1f3f9a", "3f62c0", "7d78cc", "d083b4", "f79478", "fdbb4f", "fff0a0")
HILLS = colours("3b3aa0", "5c56c4", "8d7ad6")
MEADOW = colours("0f5a4a", "1f8a4a", "6cb63a", "c9d23c", "f2c53a")
FLOWERS = colours("ee3524", "6a58e0", "ff8fb4", "fdf0c4", "ff9a1e")


def paint(size: int) -> Image.Image:
    """Paint the picture, its longest side ``size`` pixels."""
    studio = Studio(size, aspect=1.45)
    rng = np.random.default_rng(1884)
    plan, angle = _plan(studio, rng)
    rgb = srgb(oklab(plan) * np.array([0.97, 0.95, 0.95], np.float32))
    height = np.zeros(studio.shape, np.float32)
    for spacing, radius, stray in ((4.9, 3.5, 0.07), (3.9, 2.6, 0.06), (4.6, 2.0, 0.09)):
        if not studio.visible(2 * radius):
            continue
        x, y = studio.scatter(rng, spacing, margin=4)
        dots = _divide(studio.at(plan, x, y), rng, stray)
        sizes = radius * rng.uniform(0.72, 1.15, x.size)
        turns = studio.at(angle, x, y) + rng.normal(0, 0.3, x.size)
        for px, py, r, a, dot in zip(
            x.tolist(), y.tolist(), sizes.tolist(), turns.tolist(), dots, strict=True
        ):
            _dab(studio, rgb, height, px, py, r, a, dot)
    canvas = studio.noise(rng, 3.5, 2)
    return studio.finish(shade(rgb, height + 0.2 * studio.pixel * canvas, 0.20, 0.10))


def _divide(plan: Array, rng: np.random.Generator, stray: float) -> Array:
    """Divide colours (n, 3) into purer ones that mix in the eye: most stray a little, some are complementary."""
    lab = oklab(plan)
    n = len(lab)
    lab[:, 0] += rng.normal(0, 0.045, n)
    lab[:, 1:] = lab[:, 1:] * 1.12 + rng.normal(0, stray * 0.6, (n, 2))
    opposite = rng.random(n) < stray
    lab[opposite, 1:] *= -0.85
    lab[opposite, 0] += 0.05
    return srgb(lab)


def _dab(
    studio: Studio, rgb: Array, height: Array, x: float, y: float, radius: float, turn: float, dot: Array
) -> None:
    """Set one oval dot of thick paint, in place."""
    h, w = studio.shape
    pixel = studio.pixel
    reach = radius * 1.3 + 0.5
    top, bottom = max(int((y - reach) * pixel), 0), min(int((y + reach) * pixel) + 2, h)
    left, right = max(int((x - reach) * pixel), 0), min(int((x + reach) * pixel) + 2, w)
    if top >= bottom or left >= right:
        return
    dx = (np.arange(left, right, dtype=np.float32) + 0.5) / pixel - x
    dy = ((np.arange(top, bottom, dtype=np.float32) + 0.5) / pixel - y)[:, None]
    cos, sin = np.cos(turn), np.sin(turn)
    r = np.hypot((dx * cos + dy * sin) / 1.25, (dy * cos - dx * sin) * 1.12) / radius
    alpha = np.clip((1 - r) * radius * pixel / 1.2 + 0.5, 0, 1)
    window = np.s_[top:bottom, left:right]
    rgb[window] = lerp(rgb[window], dot, 0.94 * alpha)
    bump = radius * pixel * 0.24 * np.sqrt(np.clip(1 - r * r, 0, 1))
    height[window] += (0.4 * height[window] + bump - height[window]) * alpha


def _plan(studio: Studio, rng: np.random.Generator) -> tuple[Array, Array]:
    """Plan the colours (h, w, 3) that the dots shall mix to, and the direction in which they lie (h, w)."""
    x, y = studio.plane()
    cloud = studio.noise(rng, 70, 4, stretch=2.6)
    sun = np.hypot(x - SUN[0], (y - SUN[1]) * 1.15)
    warmth = 0.22 + 0.36 * y / HORIZON + 0.55 * np.exp(-sun / 95) + 0.10 * cloud + 0.03 * np.cos(sun / 5.2)
    plan = gradient(SKY, warmth)
    plan = lerp(plan, colours("fffbe0")[0], smoothstep(25, 21, sun))
    angle = np.where(sun < 230, np.arctan2(y - SUN[1], x - SUN[0]) + np.pi / 2, 0.15 * cloud)
    for crest, t in (
        (HORIZON - 24 - 16 * np.sin(x / 83 + 1) - 6 * np.sin(x / 29), 0.9),
        (HORIZON - 6 - 9 * np.sin(x / 57), 0.3),
    ):
        glow = 0.35 * np.exp(-np.abs(x - SUN[0]) / 110)
        hill = lerp(
            gradient(HILLS, t + 0.3 * cloud), colours("f79a6a")[0], glow * smoothstep(30, 0, y - crest)
        )
        plan = lerp(plan, hill, smoothstep(-1, 1, y - crest))
    # The river mirrors the sky in ripples.
    mirror = np.clip(2 * HORIZON - y + 7 * np.sin(y / 2.6 + 3 * cloud), 0, HORIZON)
    below = np.exp(-np.abs(x - SUN[0] + 5 * np.sin(y / 4)) / (13 + np.maximum(y - HORIZON, 0) * 0.22))
    river = gradient(SKY, 0.10 + 0.30 * mirror / HORIZON + 0.10 * cloud + 0.62 * below)
    ripple = smoothstep(0.3, 0.9, np.sin(y / 2.1 + 2.2 * cloud + x / 60))
    river = lerp(river, colours("2fa3c9")[0], 0.35 * ripple * (1 - below))
    water = y > HORIZON
    plan = np.where(water[..., None], river, plan)
    angle = np.where(water, 0.0, angle)
    plan, angle = _poplars(rng, plan, angle, x, y)
    return _meadow(studio, rng, plan, angle, x, y)


def _poplars(rng: np.random.Generator, plan: Array, angle: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Plan a row of poplars, dark blue on one side and lit orange on the other, and their reflections."""
    for cx, tall in (
        (44, 168),
        (92, 150),
        (136, 128),
        (176, 112),
        (212, 96),
        (244, 84),
        (560, 96),
        (592, 120),
        (628, 146),
    ):
        lit = 1 if cx < SUN[0] else -1
        sway = 3 * np.sin(y / 23 + cx)
        for up, strength in ((HORIZON + 5 - y, 1.0), (y - HORIZON - 5, 0.62)):
            t = np.clip(up / tall, 0, 1)
            half = 0.115 * tall * np.sqrt(t * (1 - t)) * 2 * (1.1 - 0.45 * t) + 2.0 * np.sin(up / 3.1 + cx)
            side = (x - cx - sway) * lit
            inside = smoothstep(half + 1, half - 1, np.abs(side)) * (up > 0) * (up < tall)
            shadow = colours("12306e", "0f5f58", "2f8f3f", "f0a830", "ffd65a")
            leaf = gradient(
                shadow, 0.42 + 0.5 * side / np.maximum(half, 1) + 0.18 * np.sin(up / 4.3 + side / 3)
            )
            plan = lerp(plan, leaf, inside * strength)
            angle = np.where(inside > 0.5, 1.57 if strength == 1 else 0.0, angle)
    return plan, angle


def _meadow(
    studio: Studio, rng: np.random.Generator, plan: Array, angle: Array, x: Array, y: Array
) -> tuple[Array, Array]:
    """Plan the near bank: grass in light and shade, with drifts of flowers."""
    patch = studio.noise(rng, 60, 4, stretch=2.2)
    bank = SHORE + 22 * np.sin(x / 105 + 2.4) + 5 * np.sin(x / 21)
    into = y - bank
    light = 0.30 + 0.30 * patch + 0.35 * np.exp(-into / 26) + 0.14 * np.sin(into / 7 + x / 19)
    grass = gradient(MEADOW, light)
    for k, flower in enumerate(FLOWERS):
        drift = studio.noise(rng, 26, 3, stretch=2.4)
        grass = lerp(grass, flower, 0.92 * smoothstep(0.66, 0.84, drift) * smoothstep(6, 20 + 6 * k, into))
    shade_ = smoothstep(70, 190, into)
    grass = lerp(grass, grass * np.array([0.55, 0.62, 0.95], np.float32), 0.55 * shade_)
    inside = smoothstep(-1.5, 1.5, into)
    return lerp(plan, grass, inside), np.where(inside > 0.5, 1.3 + 0.6 * patch, angle)
