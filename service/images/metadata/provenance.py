"""How a picture came about, as machines can read it."""

from dataclasses import dataclass
from typing import Literal

SourceType = Literal["compositeWithTrainedAlgorithmicMedia", "trainedAlgorithmicMedia"]
"""Terms of IPTC's Digital Source Type NewsCodes: a network changed a picture, or made all of it."""

SYSTEM = "Stylize"
"""The name of the AI system."""


@dataclass(frozen=True)
class Provenance:
    """Which AI system made a picture, and how (IPTC Photo Metadata Standard 2025.1).

    Attributes:
        source_type: its Digital Source Type.
        version: of the system.
    """

    source_type: SourceType
    version: str

    @property
    def properties(self) -> dict[str, str]:
        """Those of XMP, in the namespace of IPTC's extension schema."""
        return {
            "DigitalSourceType": f"http://cv.iptc.org/newscodes/digitalsourcetype/{self.source_type}",
            "AISystemUsed": SYSTEM,
            "AISystemVersionUsed": self.version,
        }
