"""What can be asked for: a painting, or one of the two reconstructions of the paper's Figure 1.

The reconstructions are paintings with one of the two weights at 0 (eq. 7), from white noise. So an operation is which
pictures and which of the options may be sent, and what the others are; everything else is the same for all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.images import SourceType
from service.intake.contract import PICTURES, STYLE_NAME, StylizeOptions, parse_options
from service.intake.errors import OptionsError
from service.messages import unknown
from service.problems import FieldError

_GENERAL = ("size", "seed", "budget", "iterations", "pooling", "tile", "format", "quality", "depth", "dpi")
_WANTED = {"content": "a photograph as content", "style": "an artwork as style"}


@dataclass(frozen=True)
class Operation:
    """One way of asking.

    Attributes:
        path: of its route.
        pictures: names of the files that it takes.
        options: names of the options that it takes.
        preset: options that have another value than `StylizeOptions` says where they are not given; those that are
            not in `options` always have it.
        source_type: what its pictures say of how they came about.
    """

    path: str
    pictures: tuple[str, ...]
    options: tuple[str, ...]
    preset: Mapping[str, object] = field(default_factory=dict)
    source_type: SourceType = "compositeWithTrainedAlgorithmicMedia"

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of everything else that may be sent: files, and names of artworks where it takes artworks."""
        return (*self.pictures, STYLE_NAME) if "style" in self.pictures else self.pictures

    @property
    def wanted(self) -> str:
        """The pictures that have to be sent, in words."""
        return " and ".join(words for name, words in _WANTED.items() if name in self.pictures)

    def parse(self, given: Mapping[str, object], *, text: bool) -> StylizeOptions:
        """The options of a request, complete with the preset ones.

        Args:
            given: name -> value.
            text: see `parse_options`.

        Raises:
            OptionsError: names that it does not take, wrong types, values out of bounds; all of them at once.
        """
        errors = [
            FieldError(name, unknown(name, [*self.options, *self.parts], f"option of {self.path}"))
            for name in given
            if name not in self.options
        ]
        own = {name: value for name, value in given.items() if name in self.options}
        try:
            options = parse_options({**self.preset, **own}, text=text)
        except OptionsError as error:
            raise OptionsError(errors + error.errors) from None
        if options.init == "image" and "init_image" not in self.pictures:
            message = f"init is image, but {self.path} takes no init_image: give content or noise."
            errors.append(FieldError("init", message))
        if errors:
            raise OptionsError(errors)
        return options


STYLIZE = Operation("/stylize", PICTURES, tuple(StylizeOptions.model_fields))

RECONSTRUCT_CONTENT = Operation(
    "/reconstruct/content",
    ("content",),
    ("content_layers", "init", *_GENERAL, "metadata"),
    {"content_weight": 1.0, "style_weight": 0.0, "init": "noise"},
)
"""Figure 1, bottom: the picture whose responses in some layers are those of the photograph."""

RECONSTRUCT_STYLE = Operation(
    "/reconstruct/style",
    ("style",),
    ("style_layers", "style_weights", "style_scale", *_GENERAL),
    {"content_weight": 0.0, "style_weight": 1.0, "init": "noise"},
    "trainedAlgorithmicMedia",
)
"""Figure 1, top: a texture whose Gram matrices in some layers are those of the artworks."""

OPERATIONS = (STYLIZE, RECONSTRUCT_CONTENT, RECONSTRUCT_STYLE)
