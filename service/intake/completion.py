"""From what was sent to what is asked of this server: every default filled in, every name looked up."""

from dataclasses import dataclass

from service.catalogue import Catalogue, Style
from service.images import Format
from service.intake.bounds import Bounds
from service.intake.contract import STYLE_NAME
from service.intake.errors import OptionsError
from service.intake.submission import Submission
from service.problems import FieldError
from service.style import Options


@dataclass(frozen=True)
class PaintRequest:
    """A request that this server can answer, with pictures that have not been decoded.

    Attributes:
        sent: the files, and the options as they were given.
        named: artworks of the catalogue, which come after the files.
        options: complete.
        format: of the answer's picture.
    """

    sent: Submission
    named: tuple[Style, ...]
    options: Options
    format: Format


def complete(
    sent: Submission, bounds: Bounds, catalogue: Catalogue, image_format: Format = "png"
) -> PaintRequest:
    """Judge a submission by what this server can do.

    Args:
        sent: as it was parsed.
        bounds: of this server.
        catalogue: its artworks.
        image_format: of the answer, where the options do not say.

    Raises:
        OptionsError: a name is not in the catalogue, a value is beyond the bounds, or the pictures do not go
            together; all of them at once.
    """
    styles = catalogue.styles
    errors = [
        FieldError(STYLE_NAME, catalogue.complaint(name)) for name in sent.style_names if name not in styles
    ]
    try:
        options = bounds.complete(
            sent.options,
            sent.artworks,
            content_mask=sent.content_mask is not None,
            style_masks=len(sent.style_masks),
            init_image=sent.init_image is not None,
            strength_mask=sent.strength_mask is not None,
            anchor_image=sent.anchor_image is not None,
            anchor_mask=sent.anchor_mask is not None,
        )
    except OptionsError as error:
        raise OptionsError(errors + error.errors) from None
    if errors:
        raise OptionsError(errors)
    answer_format = sent.options.format or image_format
    if options.depth == 16 and answer_format != "png":
        message = f"depth is 16, which {answer_format} does not have: ask for format=png, or for depth=8."
        raise OptionsError([FieldError("depth", message)])
    named = tuple(styles[name] for name in sent.style_names)
    return PaintRequest(sent, named, options, answer_format)
