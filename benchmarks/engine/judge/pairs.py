"""The pairs that are judged: always the same ones, in the same order."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from torch import Tensor

from service.images import decode

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True)
class Pair:
    """A photograph and what it is to be painted like, as files.

    Attributes:
        photograph, artwork: their paths.
    """

    photograph: Path
    artwork: Path

    @property
    def name(self) -> str:
        """What a finished picture of it is called: astronaut+indigo-waves."""
        return f"{self.photograph.stem}+{self.artwork.stem}"

    @cached_property
    def pictures(self) -> tuple[Tensor, Tensor]:
        """Both, uint8 (3, H, W)."""
        return decode(self.photograph.read_bytes()).rgb, decode(self.artwork.read_bytes()).rgb


def pairs_of(folder: Path) -> list[Pair]:
    """Each photograph with each artwork, then with each other photograph, in an order that uses all before long.

    Args:
        folder: has photos/ and styles/, as examples/ does.

    Raises:
        FileNotFoundError: it has not.
    """
    photographs, artworks = (_pictures(folder / name) for name in ("photos", "styles"))
    painted = _all(photographs, artworks)
    return painted + [pair for pair in _all(photographs, photographs) if pair.photograph != pair.artwork]


def _all(photographs: list[Path], artworks: list[Path]) -> list[Pair]:
    """Each with each, along the diagonals."""
    return [
        Pair(photographs[number % len(photographs)], artwork)
        for turn in range(len(photographs))
        for number, artwork in enumerate(artworks, start=turn)
    ]


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
