"""From label images to the regions that are painted, or to sentences about why they do not go together."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.images import Labels, colour_name
from service.intake.errors import OptionsError
from service.problems import FieldError
from service.style import Masks

TOLERANCE = 0.02
"""By which the aspect ratio of a mask, or of a start, may differ from that of the picture it belongs to."""

Size = tuple[int, int]
"""(width, height), in pixels."""


@dataclass(frozen=True)
class Region:
    """A part of the photograph with a style of its own.

    Attributes:
        label: the colour of its pixels in content_mask, #rrggbb.
        share: its part of the picture, 0..1.
        styles: which artworks it is painted like: their places in the request, from 1.
    """

    label: str
    share: float
    styles: tuple[int, ...]


def match(
    content: Labels,
    styles: Sequence[Labels],
    *,
    photograph: Size,
    artworks: Sequence[Size],
    style_weights: Sequence[float] | None,
) -> tuple[Masks, tuple[Region, ...]]:
    """Match the labels of the photograph with those of the artworks.

    Args:
        content: of the photograph.
        styles: of each artwork; none: every artwork has all labels.
        photograph: its size.
        artworks: the size of each.
        style_weights: one for each artwork; None: all alike.

    Raises:
        OptionsError: a mask has another aspect ratio than its picture, or the photograph's has no label, or one that
            no artwork has.
    """
    errors = misfit("content_mask", content.size, "content", photograph)
    for number, (mask, artwork) in enumerate(zip(styles, artworks, strict=False), start=1):
        errors += misfit(f"style_mask {number}", mask.size, f"artwork {number}", artwork)
    if not content.colours:
        message = (
            "content_mask is entirely black, and black is not painted: give each region a colour of its own."
        )
        errors.append(FieldError("content_mask", message))
    numbers = content.numbered(content.colours)
    found = []
    for number, colour in enumerate(content.colours, start=1):
        label = colour_name(colour)
        owners = [
            place
            for place, weight in enumerate(style_weights or [1.0] * len(artworks), start=1)
            if weight > 0 and (not styles or colour in styles[place - 1].colours)
        ]
        if not owners:
            message = (
                f"{label} is in content_mask, but in no style_mask of an artwork with a weight above 0: use it "
                "there too, or paint it black here."
            )
            errors.append(FieldError("style_mask", message))
        found.append(Region(label, (numbers == number).float().mean().item(), tuple(owners)))
    if errors:
        raise OptionsError(errors)
    return Masks(numbers, [style.numbered(content.colours) for style in styles] or None), tuple(found)


def misfit(part: str, size: Size, of: str, reference: Size) -> list[FieldError]:
    """What is wrong with the aspect ratio of a picture that belongs to another; nothing, within the tolerance.

    Args:
        part: name of the picture, such as "style_mask 2".
        size: of it.
        of: name of the picture that it belongs to.
        reference: the size of that.
    """
    if abs(size[0] * reference[1] / (size[1] * reference[0]) - 1) <= TOLERANCE:
        return []
    message = (
        f"{part} has {size[0]}x{size[1]} px and {of} {reference[0]}x{reference[1]} px: give both the same aspect "
        f"ratio, within {TOLERANCE:.0%}."
    )
    return [FieldError(part.partition(" ")[0], message)]
