"""Peacock: the eyes of a peacock's train laid in small stones of glass and gold."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .studio import Array, Studio, colours, gradient, lerp, shade, smoothstep

FOOT = (250.0, 640.0)  # where all the feathers come from, below the picture
STONE = 9.2  # breadth of a course of stones, units
# From the heart of an eye outwards, one colour a course.
EYE = colours(
    "10145c", "1a2bb8", "18a8dc", "3fe0cf", "f2b32c", "d2571c", "63b53a", "118a5a", "0a6472", "e2b445", "14389a",
)  # fmt: skip
BARBS = colours("0b4f4c", "0f7a5e", "3aa64a", "b7c93c", "e9b93a", "128a98", "12408a")


def paint(size: int) -> Image.Image:
    """Paint the picture, its longest side ``size`` pixels."""
    studio = Studio(size)
    rng = np.random.default_rng(537)
    x, y = studio.plane()
    # Hand-laid courses are never quite true.
    x, y = x + 1.3 * studio.noise(rng, 45, 2), y + 1.3 * studio.noise(rng, 45, 2)
    across, along, owner, colour = _barbs(x, y)
    for feather, (cx, cy, radius) in enumerate(_eyes(), start=1):
        across, along, owner, colour = _lay(
            feather, x - cx, y - cy, radius, (cx - FOOT[0], cy - FOOT[1]), across, along, owner, colour
        )
    return studio.finish(_set_stones(studio, rng, across, along, owner, colour))


def _eyes() -> list[tuple[float, float, float]]:
    """Place the eyes, x, y and radius, in staggered rows that grow outwards; the nearest the foot lie on top."""
    eyes = []
    for row, distance in enumerate((745, 650, 562, 482, 410, 345, 288, 236, 190)):
        radius = 0.142 * distance + 4
        step = 1.62 * radius / distance
        for k in range(-9, 10):
            a = -np.pi / 2 + (k + 0.5 * (row % 2)) * step + 0.08
            eyes.append((FOOT[0] + distance * np.cos(a), FOOT[1] + distance * np.sin(a), radius))
    return eyes


def _barbs(x: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Lay the ground between the eyes: rays from the foot. Returns as ``_lay`` does."""
    dx, dy = x - FOOT[0], y - FOOT[1]
    r, a = np.hypot(dx, dy), np.arctan2(dx, -dy)
    across, along = a * 420 / STONE, r / STONE
    tone = 0.5 + 0.35 * np.sin(np.floor(across) * 2.4) + 0.15 * np.sin(r / 30)
    return across, along, np.zeros_like(x), gradient(BARBS, tone)


def _lay(
    feather: int,
    dx: Array,
    dy: Array,
    radius: float,
    tip: tuple[float, float],
    across: Array,
    along: Array,
    owner: Array,
    colour: Array,
) -> tuple[Array, Array, Array, Array]:
    """Lay one eye over what is there: course number, place along the course, feather, colour (h, w, 3)."""
    # Circles within circles, each nearer the tip: on the one of radius t the middle is moved by k (radius - t).
    k = 0.42
    distance = np.hypot(*tip)
    tip_x, tip_y = tip[0] / distance, tip[1] / distance
    square = dx * dx + dy * dy
    inside = square < radius**2
    half = radius - k * (dx * tip_x + dy * tip_y)
    depth = (half - np.sqrt(np.maximum(half**2 - (1 - k * k) * (radius**2 - square), 0))) / (1 - k * k)
    r = np.maximum(radius - depth, 0)
    courses = round(radius / STONE)
    course = r / radius * courses
    number = np.floor(course)
    place = np.arctan2(dy - k * depth * tip_y, dx - k * depth * tip_x) * (number + 0.5)
    hue = EYE[np.clip(number * (len(EYE) - 1) / (courses - 1), 0, len(EYE) - 1).round().astype(np.intp)]
    keep = inside[..., None]
    return (
        np.where(inside, course, across),
        np.where(inside, place, along),
        np.where(inside, feather, owner),
        np.where(keep, hue, colour),
    )


def _set_stones(
    studio: Studio, rng: np.random.Generator, across: Array, along: Array, owner: Array, colour: Array
) -> Array:
    """Cut the courses into stones, each with its own tint, tilt and chipped rim, and grout them: (h, w, 3)."""
    course = np.floor(across)
    row = (course * 131 + owner * 7919).astype(np.int64)
    shift = _dice(row, 1)
    length = 0.9 + 0.5 * _dice(row, 2)
    cut = along / length + shift * 17
    stone = row * 65537 + np.floor(cut).astype(np.int64)
    u, v = (cut % 1) * length, across % 1
    rim = np.minimum(np.minimum(u, length - u), np.minimum(v, 1 - v)) * STONE
    rim = rim + 0.35 * studio.noise(rng, 5, 3)
    dice = [_dice(stone, k) for k in range(3, 9)]
    light = 0.78 + 0.34 * dice[0]
    warm = (dice[1] - 0.5)[..., None] * np.array([0.16, 0.05, -0.16], np.float32)
    glass = np.clip(colour * light[..., None] + warm * (0.3 + colour), 0, 1)
    gold = (dice[2] > 0.955)[..., None]
    glass = np.where(gold, colours("f7cf57")[0] * (0.8 + 0.35 * dice[3][..., None]), glass)
    tilt = (dice[4] - 0.5) * (u - length / 2) + (dice[5] - 0.5) * (v - 0.5)
    height = STONE * studio.pixel * (0.26 * smoothstep(0.3, 1.9, rim) + 0.42 * tilt * (rim > 0.4))
    height = height + 0.14 * studio.pixel * studio.noise(rng, 8, 2)
    grout = gradient(colours("1d1a22", "3d3438", "6b5c50"), 0.4 + 0.3 * studio.noise(rng, 8, 2))
    picture = lerp(grout, glass, smoothstep(0.35, 0.75, rim))
    return shade(picture, height, 0.34, 0.3)


def _dice(number: np.ndarray, roll: int) -> Array:
    """Give each whole number its own random value in [0, 1): the same number, the same value."""
    h = (number.astype(np.uint64) + np.uint64(roll << 56)) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(29))) * np.uint64(0x94D049BB133111EB)
    return ((h ^ (h >> np.uint64(32))) >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)
