"""What somebody sent: files and options, whatever way they came."""

from dataclasses import dataclass

from service.intake.contract import StylizeOptions
from service.intake.operations import Operation


@dataclass(frozen=True)
class Submission:
    """The files of a request, not decoded, and its options, not completed.

    Attributes:
        operation: that it was sent to.
        content: bytes of the photograph's file; None where the operation takes none.
        styles: bytes of the artworks' files.
        style_names: names of artworks of the catalogue, which come after the files; 1 to 8 of both together where
            the operation takes artworks.
        options: names, types and fixed bounds are right.
        content_mask: bytes of the photograph's label image; None: there is none.
        style_masks: bytes of the artworks' label images, in their order.
        init_image: bytes of the picture to start from; None: there is none.
        strength_mask: bytes of the grey picture of how strongly each part is painted; None: there is none.
        anchor_image: bytes of the picture that the result is held to; None: there is none.
        anchor_mask: bytes of the grey picture of how firmly each part of that is held; None: there is none.
    """

    operation: Operation
    content: bytes | None
    styles: tuple[bytes, ...]
    style_names: tuple[str, ...]
    options: StylizeOptions
    content_mask: bytes | None = None
    style_masks: tuple[bytes, ...] = ()
    init_image: bytes | None = None
    strength_mask: bytes | None = None
    anchor_image: bytes | None = None
    anchor_mask: bytes | None = None

    @property
    def artworks(self) -> int:
        """How many there are: files and names."""
        return len(self.styles) + len(self.style_names)
