"""What is kept of a photograph's metadata: whose it is, and how large it is printed."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from service.images.metadata.provenance import Provenance

MOST_DPI = 9600
"""Dots per inch; more than any printer or scanner has."""

MOST_CREATORS = 8
MOST_CHARACTERS = 500
"""Of each text; what is longer is cut. All of them together fit into one message of a decoder."""

# What XML 1.0 cannot say (section 2.2).
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Metadata:
    """What a file says beside its pixels.

    Attributes:
        creators: who made the photograph.
        rights: its copyright notice.
        credit: who has to be named when it is published.
        dpi: dots per inch, 1 to MOST_DPI; None: not known.
        provenance: how the picture came about; None: that is not said.
    """

    creators: tuple[str, ...] = ()
    rights: str = ""
    credit: str = ""
    dpi: int | None = None
    provenance: Provenance | None = None

    @classmethod
    def of(cls, creators: Iterable[str], rights: str, credit: str, dpi: float | None) -> Self:
        """From what a file says, within bounds: texts of one line each, and a resolution that makes sense."""
        names = (tidy(creator) for creator in creators)
        return cls(
            tuple(name for name in names if name)[:MOST_CREATORS],
            tidy(rights),
            tidy(credit),
            round(dpi) if dpi is not None and 1 <= dpi <= MOST_DPI else None,
        )

    @classmethod
    def told(cls, told: Mapping[str, Any]) -> Self:
        """From what another process says."""
        return cls.of(told["creators"], told["rights"], told["credit"], told["dpi"])


def tidy(text: str) -> str:
    """A text on one line, of at most MOST_CHARACTERS, with nothing in it that XML could not say."""
    return " ".join(_UNSPEAKABLE.sub("", text).split())[:MOST_CHARACTERS]
