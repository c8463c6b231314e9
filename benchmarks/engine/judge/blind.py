"""The page on which a person chooses between two pictures without knowing whose they are."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_PAGE = Path(__file__).with_name("blind.html")
_PLACE = "/*COMPARISONS*/[]"


@dataclass(frozen=True)
class Comparison:
    """Two pictures of one pair.

    Attributes:
        pair: its name.
        photograph, artwork: files.
        methods: the names of both.
        pictures: files of both.
    """

    pair: str
    photograph: Path
    artwork: Path
    methods: tuple[str, str]
    pictures: tuple[Path, Path]


def page(comparisons: Sequence[Comparison], folder: Path) -> str:
    """HTML that works where it lies, in `folder`, opened as a file: it loads nothing but those pictures.

    It shows the comparisons in a random order, each with its sides at random, and counts what is chosen, with
    Wilson's 95 % interval.
    """

    def relative(value: object) -> str:
        return Path(os.path.relpath(str(value), folder)).as_posix()

    told = json.dumps([asdict(comparison) for comparison in comparisons], default=relative)
    return _PAGE.read_text().replace(_PLACE, told.replace("</", "<\\/"))
