"""Artworks that this project paints itself, so that there are styles which are free to ship.

One module an artwork, each with ``paint(size) -> PIL.Image.Image``; ``python -m examples.paint`` paints them
all. The same program paints the same bytes every time on the same machine: every random number comes from a
fixed seed.
"""

from __future__ import annotations

from importlib import import_module

from PIL import Image

TITLES = {
    "starfield-strokes": "Starfield: thick brush strokes swirl around golden stars, over hills and a lake",
    "stained-glass": "Rose: a window of jewel-coloured glass in lead, with the sun behind it",
    "marbled-paper": "Feathers: inks on water, drawn with a stylus and combs, lifted off on paper",
    "peacock-mosaic": "Peacock: the eyes of a peacock's train laid in stones of glass and gold",
    "indigo-waves": "Indigo waves: breakers curl under a red sun, printed from wooden blocks",
    "simultaneous-discs": "Simultaneous discs: rings of colour cut into arcs, facets of light, oil on canvas",
    "sepia-valley": "Sepia valley: hills, trees and curling clouds in pen and wash",
    "pointillist-dusk": "Dusk: poplars, a river and a meadow in dots of complementary colours",
}
"""Every artwork: the name of its file (and, with underscores, of its module), and what it shows."""


def paint(name: str, size: int = 640) -> Image.Image:
    """Paint one artwork.

    Args:
        name: one of ``TITLES``.
        size: the longest side of the picture, pixels, at least 16.

    Raises:
        ValueError: no artwork has that name, or the size is too small.
    """
    if name not in TITLES:
        raise ValueError(f"no artwork is called {name!r}: choose from {', '.join(TITLES)}")
    if size < 16:
        raise ValueError(f"size {size} is too small to paint on: choose 16 pixels or more")
    picture: Image.Image = import_module(f".{name.replace('-', '_')}", __name__).paint(size)
    return picture
