"""Pictures with the statistics of natural ones, made from nothing but a seed.

The dead leaves model (Lee, Mumford & Huang 2001, *Occlusion models for natural images: a statistical study
of a scale-invariant dead leaves model*, IJCV 41): discs of power-law radii and random colours fall on each
other, and the later ones hide the earlier. It has what networks trained on photographs respond to: edges,
corners, flat regions, all scales. And it needs no files.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_SEED = 1508_06576
_OVERSAMPLING = 2  # painted at twice the size, then averaged: leaves with smooth edges
_SMALLEST = 2.0  # radius in pixels of the result; the largest is half the side
_LAYERS = 5.0  # how often the leaves cover the picture: e^-5 of it stays bare
_CHROMA = 0.12  # standard deviation of the colours around grey
_TEXTURE = 0.06  # the strongest amplitude of the ripples on a leaf


def dead_leaves(count: int = 4, side: int = 224) -> Tensor:
    """Make the calibration pictures: the same ones at every call.

    Args:
        count: how many.
        side: height and width in pixels, 16 or more.

    Returns:
        (count, 3, side, side), float32, RGB in [0, 1], multiples of 1/255.
    """
    generator = np.random.Generator(np.random.PCG64(_SEED))
    pictures = np.stack([_picture(generator, side) for _ in range(count)])
    return torch.from_numpy(pictures.astype(np.float32) / np.float32(255))


def _picture(generator: np.random.Generator, side: int) -> NDArray[np.uint8]:
    size = side * _OVERSAMPLING
    smallest, largest = _SMALLEST * _OVERSAMPLING, size / 2
    # Radii with density ~ r^-3 between the two, by inversion: the scale-invariant case of the model.
    narrow, wide = smallest**-2, largest**-2
    mean_area = 2 * np.pi * np.log(largest / smallest) / (narrow - wide)
    leaves = int(_LAYERS * (size + 2 * largest) ** 2 / mean_area)
    radii = (narrow - generator.random(leaves) * (narrow - wide)) ** -0.5
    centres = generator.uniform(-largest, size + largest, (leaves, 2))
    colours = generator.random((leaves, 1)) + _CHROMA * generator.standard_normal((leaves, 3))
    angles = generator.uniform(0, np.pi, leaves)
    frequencies = 2 * np.pi / (_OVERSAMPLING * generator.uniform(3, 24, leaves))
    amplitudes = generator.uniform(0, _TEXTURE, leaves)

    canvas = np.full((3, size, size), 0.5, dtype=np.float32)
    grid = np.arange(size, dtype=np.float32)
    for (y, x), radius, colour, angle, frequency, amplitude in zip(
        centres, radii, colours, angles, frequencies, amplitudes, strict=True
    ):
        top, bottom = max(int(y - radius), 0), min(int(y + radius) + 2, size)
        left, right = max(int(x - radius), 0), min(int(x + radius) + 2, size)
        if top >= bottom or left >= right:
            continue
        dy = (grid[top:bottom] - np.float32(y))[:, None]
        dx = (grid[left:right] - np.float32(x))[None, :]
        inside = dy * dy + dx * dx <= radius * radius
        ripple = amplitude * np.sin(frequency * (np.cos(angle) * dx + np.sin(angle) * dy))
        leaf = colour.astype(np.float32)[:, None, None] + ripple.astype(np.float32)
        region = canvas[:, top:bottom, left:right]
        np.copyto(region, leaf, where=inside)
    blocks = canvas.clip(0, 1).reshape(3, side, _OVERSAMPLING, side, _OVERSAMPLING)
    # Whole grey levels, so that the last bits of some machine's sine do not matter.
    picture: NDArray[np.uint8] = np.rint(255 * blocks.mean(axis=(2, 4))).astype(np.uint8)
    return picture
