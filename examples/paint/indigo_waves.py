"""Indigo waves: a sea of curling breakers under a red sun, printed from wooden blocks."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .studio import Array, Studio, blur, colours, gradient, lerp, shade, smoothstep

# Base line, height, length and phase of the swell; how far its crests curl over (radians). Back to front.
SWELLS = (
    (250.0, 46.0, 168.0, 0.30, 1.5),
    (318.0, 62.0, 236.0, 0.72, 1.9),
    (368.0, 172.0, 610.0, 0.30, 2.7),
    (420.0, 74.0, 262.0, 0.10, 2.1),
    (474.0, 66.0, 214.0, 0.55, 2.0),
    (532.0, 58.0, 180.0, 0.15, 1.8),
)
SKY = colours("f7e3bd", "f6c98c", "f0a56f", "f3d3a4", "e9d9b6")
SUN = colours("b8161a", "e03a22", "f2803a")
SEA = colours("f6ecd4", "bfdad6", "6fb0c4", "2a76a8", "17508a", "0d2f66", "0a1f4a")
KEY = colours("0b1a3c")[0]
FOAM = colours("fbf3de")[0]


def paint(size: int) -> Image.Image:
    """Paint the picture, its longest side ``size`` pixels."""
    studio = Studio(size)
    rng = np.random.default_rng(1831)
    x, y = studio.plane()
    grain = _wood(studio, rng)
    rgb = _sky(studio, rng, x, y, grain)
    for base, height, length, phase, curl in SWELLS:
        depth = _depth(x, y, base, height, length, phase, curl)
        rgb = _breaker(studio, rng, rgb, x, y, depth, height, grain)
    # The ink lies thinner where the wood was hard, and not at all where the paper was rough.
    paper = 0.5 + 0.25 * studio.noise(rng, 3.5, 3) + 0.2 * studio.noise(rng, 30, 2, stretch=0.2)
    rgb = lerp(rgb, colours("f3e6c8")[0], np.clip(0.06 + 0.16 * grain + 0.10 * (paper - 0.5), 0, 1))
    bare = smoothstep(1.05, 1.3, studio.noise(rng, 4.5, 3) + 0.3 * grain)
    rgb = lerp(rgb, colours("f5ead0")[0], 0.55 * bare)
    return studio.finish(shade(rgb, paper * 0.9 * studio.pixel, 0.10))


def _wood(studio: Studio, rng: np.random.Generator) -> Array:
    """Grow the grain of the block, [-1, 1]: rings of a tree cut lengthwise."""
    _, y = studio.plane()
    rings = y / 5.2 + 2.6 * studio.noise(rng, 90, 2, stretch=3.5) + 0.5 * studio.noise(rng, 26, 2, stretch=6)
    fine = studio.noise(rng, 2.4, 2, stretch=22)
    saw = rings % 1
    return np.asarray(np.clip(1.6 * saw**3 - 0.5 + 0.5 * fine, -1, 1))


def _sky(studio: Studio, rng: np.random.Generator, x: Array, y: Array, grain: Array) -> Array:
    """Print the sky: graded by wiping the block (bokashi), with a sun and bars of cloud."""
    sky = gradient(SKY, y / 330 + 0.05 * studio.noise(rng, 120, 3, stretch=3) + 0.03 * grain)
    wind = (y + 11 * studio.noise(rng, 90, 2, stretch=2.5)) / 6.6
    breadth = 0.35 + 1.3 * smoothstep(
        -0.6, 1.0, studio.noise(rng, 60, 2, stretch=2) + 0.5 * np.sin(np.round(wind) * 2.3)
    )
    line = smoothstep(breadth + 0.4, breadth - 0.4, np.abs(wind - np.round(wind)) * 6.6)
    sky = lerp(sky, colours("dd6f47", "7fb0b0")[(np.round(wind) % 5 == 2).astype(np.intp)], 0.62 * line)
    sun = 64.0 - np.hypot(x - 462, y - 128)
    disc = gradient(SUN, np.clip((y - 60) / 140, 0, 1) + 0.07 * grain)
    sky = lerp(sky, disc, smoothstep(-0.5, 0.5, sun))
    for ring in (13.0, 27.0, 42.0, 58.0, 75.0):  # rays of light as thin carved rings
        line = smoothstep(1.1, 0.5, np.abs(sun + ring + 1.5 * studio.noise(rng, 60, 2)))
        sky = lerp(sky, SUN[1], line * (0.75 - ring / 130))
    for _ in range(17):
        cx, cy = rng.uniform(-40, studio.width + 40), rng.uniform(10, 240)
        half, thick = rng.uniform(50, 150), rng.uniform(3.0, 8.0)
        sag = cy + 3.5 * np.sin((x - cx) / 23) + 2 * studio.noise(rng, 50, 2)
        profile = thick * np.sqrt(np.clip(1 - ((x - cx) / half) ** 2, 0, 1)) - np.abs(y - sag)
        bar = colours("fbf0d6", "e98a66", "8fb7b8", "d9613f")[rng.integers(0, 4)]
        sky = lerp(sky, bar, 0.8 * smoothstep(-0.6, 0.6, profile))
        sky = lerp(sky, KEY, 0.55 * smoothstep(0.9, 0.4, np.abs(profile)) * (np.abs(x - cx) < half))
    return sky


def _depth(x: Array, y: Array, base: float, height: float, length: float, phase: float, curl: float) -> Array:
    """Measure how far below the crest line a point lies (h, w), units: a peaked swell whose crests curl over."""
    first = int(np.floor(-phase)) - 1
    for k in range(first, first + int(640 / length) + 4):
        peak = (k + phase) * length
        radius = 0.52 * height + 0.04 * length
        cx, cy = peak + 0.62 * radius, base - 0.58 * height
        dx, dy = x - cx, y - cy
        a = -curl * np.exp(-((np.hypot(dx, dy) / radius) ** 2))
        x, y = cx + dx * np.cos(a) - dy * np.sin(a), cy + dx * np.sin(a) + dy * np.cos(a)
    turn = np.abs((x / length - phase + 0.5) % 1 - 0.5) * 2  # 0 at a peak, 1 in a trough
    crest = base - height * (1 - turn) ** 1.7 - 5 * np.sin(x / 27 + base)
    return np.asarray(y - crest)


def _breaker(
    studio: Studio,
    rng: np.random.Generator,
    rgb: Array,
    x: Array,
    y: Array,
    depth: Array,
    height: float,
    grain: Array,
) -> Array:
    """Print one row of breakers over what is there: graded blues, carved lines, foam, key block, spray."""
    pixel = studio.pixel
    slope = np.maximum(np.hypot(*np.gradient(depth)) * pixel, 0.15)
    true = depth / slope  # to the first order the distance to the crest line
    wobble = studio.noise(rng, 40, 3)
    body = gradient(SEA, np.clip(0.10 + depth / (78 + 0.6 * height) + 0.09 * wobble, 0.0, 1) + 0.03 * grain)
    # Carved lines run along the crest, closer near it; they swell and taper.
    level = 2.9 * np.sqrt(np.maximum(depth, 0) + 4) - 5.8
    gap = np.abs(level - np.round(level)) / np.maximum(np.hypot(*np.gradient(level)) * pixel, 1e-3)
    swelling = 0.25 + 1.2 * smoothstep(
        -0.7, 0.9, studio.noise(rng, 34, 2) + 0.5 * np.sin(np.round(level) * 2.1)
    )
    carved = smoothstep(swelling + 0.45, swelling - 0.45, gap) * smoothstep(3, 9, depth)
    odd = np.round(level) % 2
    body = lerp(body, FOAM, carved * odd * smoothstep(330, 40, depth) * 0.9)
    body = lerp(body, KEY, carved * (1 - odd) * 0.8)
    shadow = smoothstep(-16, 0, blur(np.clip(depth, -30, 30), 5 * pixel)) * smoothstep(4, -2, true)
    rgb = rgb * (1 - 0.25 * shadow)[..., None]
    rgb = lerp(rgb, body, smoothstep(-0.5, 0.5, true))
    rgb = lerp(rgb, KEY, 0.95 * smoothstep(1.5, 0.7, np.abs(true)))
    return _foam(studio, rng, rgb, true, height)


def _foam(studio: Studio, rng: np.random.Generator, rgb: Array, true: Array, height: float) -> Array:
    """Set beads of foam along the crest line and spray above it."""
    px, py = studio.scatter(rng, 3.2, margin=4)
    off = studio.at(true, px, py)
    kind = rng.random(px.size)
    size = (1.6 + 5.2 * rng.random(px.size) ** 2) * (0.7 + height / 260)
    crest = np.abs(off - 2.5) < 3.4
    spray = (off < -4) & (off > -26 - 0.12 * height) & (kind < 0.10)
    flecks = (off > 6) & (off < 26) & (kind < 0.12)
    size = np.where(crest, size, 0.45 + 0.35 * size * kind / 0.12)
    for k in np.flatnonzero((crest & (kind < 0.62)) | spray | flecks):
        rgb = _bead(studio, rgb, float(px[k]), float(py[k]), float(size[k]), outlined=bool(crest[k]))
    return rgb


def _bead(studio: Studio, rgb: Array, cx: float, cy: float, radius: float, *, outlined: bool) -> Array:
    """Print one bead of foam, in place: pale, with the key line around it."""
    h, w = studio.shape
    pixel = studio.pixel
    reach = radius + 2
    top, bottom = max(int((cy - reach) * pixel), 0), min(int((cy + reach) * pixel) + 2, h)
    left, right = max(int((cx - reach) * pixel), 0), min(int((cx + reach) * pixel) + 2, w)
    if top >= bottom or left >= right:
        return rgb
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    inside = radius - np.hypot((x + 0.5) / pixel - cx, (y + 0.5) / pixel - cy)
    patch = rgb[top:bottom, left:right]
    if outlined:
        patch = lerp(patch, KEY, 0.9 * smoothstep(-1.2, -0.6, inside))
    rgb[top:bottom, left:right] = lerp(patch, FOAM, smoothstep(-0.3, 0.3, inside))
    return rgb
