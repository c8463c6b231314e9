"""What can be asked of any server: the names, defaults and fixed bounds of the API, once.

openapi.yaml says the same to the outside; a test holds the two equal. What depends on the server is in
`service.intake.bounds`.
"""

import contextlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from service.images import MOST_DPI, Format
from service.intake.errors import OptionsError
from service.messages import explain, quote, unknown
from service.problems import FieldError
from service.style import PAPER_CONTENT_LAYERS, PAPER_STYLE_LAYERS, Color, Depth, Init, Tile
from service.style.network import Pooling

MAX_STYLES = 8
STRENGTH = 0.75
"""By default: see docs/develop/measurements.md."""
ANCHOR_WEIGHT = 0.01
"""By default, where there is an anchor: see docs/develop/algorithm.md."""
_MOST_LAYERS = 64  # more than any network has
PICTURES = (
    "content",
    "style",
    "content_mask",
    "style_mask",
    "init_image",
    "strength_mask",
    "anchor_image",
    "anchor_mask",
)
STYLE_NAME = "style_name"
TEXTS = {"texts": True}  # what validators are told where a text stands for any value


def _layers(value: object) -> object:
    """conv1_1,conv2_1:0.5 as text, or as a list; or names with their weights as an object (also in text)."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError(f"{quote(value)} is not JSON: give names like conv4_2,conv5_2:0.5.") from None
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list | dict) and len(value) > _MOST_LAYERS:  # before each of them is judged
        raise ValueError(f"there are {len(value)} layers: give at most {_MOST_LAYERS}.")
    if isinstance(value, list):
        weights: dict[str, float] = {}
        for item in value:
            name, colon, weight = item.partition(":") if isinstance(item, str) else ("", "", "")
            try:
                if not name or name in weights:
                    raise ValueError
                weights[name] = float(weight) if colon else 1.0
            except ValueError:
                raise ValueError(
                    f"{quote(item)} is not a layer with a weight: give each name once, like conv4_2 or conv4_2:0.5."
                ) from None
        value = weights
    if not isinstance(value, dict) or not value:
        raise ValueError("give at least one layer, like conv4_2 or conv4_2:0.5.")
    for name, weight in value.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 1e6:
            raise ValueError(
                f"the weight of {quote(name)} is {quote(weight)}: give a number above 0, at most 1e6."
            )
    return {name: float(weight) for name, weight in value.items()}


def _numbers(value: object, info: ValidationInfo) -> object:
    """1,2.5 where all values are texts, or a list."""
    if isinstance(value, str) and info.context == TEXTS:
        parts = value.strip(" []").split(",")
        if len(parts) > MAX_STYLES:  # before each of them is judged
            raise ValueError(f"there are {len(parts)} numbers: give at most {MAX_STYLES}.")
        try:
            return [float(part) for part in parts]
        except ValueError:
            raise ValueError(
                f"{quote(value)} is not a list of numbers: give one for each style, like 1,0.5."
            ) from None
    return value


def _whole(value: object) -> object:
    """64.0 is a whole number, as in JSON Schema: languages with one type of number write it so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _depth(value: object, info: ValidationInfo) -> object:
    """A choice between numbers, which pydantic does not read from texts as it does other numbers."""
    if info.context == TEXTS and isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = float(value)
    return _whole(value)


def _format(value: object) -> object:
    """Files are called .jpg where the format is JPEG."""
    return "jpeg" if value == "jpg" else value


Kept = Literal["keep", "none"]
WHOLE = BeforeValidator(_whole)
AnswerFormat = Annotated[
    Format,
    BeforeValidator(_format),
    WithJsonSchema({"type": "string", "enum": ["jpeg", "jpg", "png", "webp", "avif"]}),
]
Weight = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Layers = Annotated[dict[str, float], BeforeValidator(_layers)]


class StylizeOptions(BaseModel):
    """The options of POST /stylize. None: not given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: Annotated[int, Field(ge=32), WHOLE] | None = Field(
        default=None, description="Longest side of the result, in pixels. 512 on a GPU, 256 on a CPU."
    )
    strength: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        default=None,
        description="From the photograph (0) to the artwork (1), in steps that look alike; "
        f"{STRENGTH:g} where no weight is given. 0.5 is the paper's alpha/beta of 1e-3; below it the photograph "
        "shows through, and 0 is the photograph itself. Not together with content_weight and style_weight.",
    )
    content_weight: Weight | None = Field(
        default=None, description="The paper's alpha; 1e-3 where only style_weight is given."
    )
    style_weight: Weight | None = Field(
        default=None, description="The paper's beta; 1 where only content_weight is given."
    )
    content_layers: Layers = Field(
        default=dict(PAPER_CONTENT_LAYERS), description="Layers of the content loss, with their weights."
    )
    style_layers: Layers = Field(
        default=dict(PAPER_STYLE_LAYERS), description="Layers of the style loss, with their weights."
    )
    style_weights: (
        Annotated[list[Weight], Field(min_length=1, max_length=MAX_STYLES), BeforeValidator(_numbers)] | None
    ) = Field(default=None, description="One for each artwork: how much of it is in the blend.")
    style_scale: Annotated[float, Field(ge=0.1, le=4, allow_inf_nan=False)] = Field(
        default=1.0, description="Size of the artwork relative to the result: smaller gives finer strokes."
    )
    color: Color = Field(
        default="style",
        description="Whose colours: the artwork's (style, as in the paper), the artwork's with the mean and "
        "covariance of the photograph's (content-match), or the photograph's, only luminance being painted "
        "(content-luminance).",
    )
    tv_weight: Weight = Field(
        default=0.0,
        description="Weight of the total variation: above 0, what changes from pixel to pixel is smoothed. "
        "0.003 takes away grain; from 0.01 on, small details such as eyes fade.",
    )
    anchor_weight: Weight | None = Field(
        default=None,
        description="How firmly the result is held to anchor_image, where anchor_mask says so; "
        f"{ANCHOR_WEIGHT:g} where not given. 0 is as without anchor_image.",
    )
    init: Init = Field(
        default="content",
        description="Start from the photograph, from init_image (image: wherever there is one), or from white noise "
        "as in the paper.",
    )
    seed: Annotated[int, Field(ge=0, le=2**32 - 1), WHOLE] = Field(
        default=0, description="Another seed gives another picture, equally good."
    )
    budget: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None,
        description="Seconds for the optimisation: the answer is the best picture found by then.",
    )
    iterations: Annotated[int, Field(ge=1, le=10_000), WHOLE] | None = Field(
        default=None, description="At most so many evaluations of loss and gradient."
    )
    pooling: Pooling = Field(
        default="average", description="Pooling of the network: the paper's, or as it was trained."
    )
    tile: Tile = Field(
        default="none",
        description="In which direction the result continues at its opposite side: x (a panorama), y, both (a "
        "texture), or none.",
    )
    format: AnswerFormat | None = Field(
        default=None, description="Of the result; by the Accept header where not given. jpg is jpeg."
    )
    quality: Annotated[int, Field(ge=1, le=100), WHOLE] | None = Field(
        default=None, description="Of jpeg, webp and avif. png is lossless and does not have one."
    )
    depth: Annotated[Depth, BeforeValidator(_depth)] = Field(
        default=8, description="Bits of each channel of the result; 16 are for png alone."
    )
    dpi: Annotated[int, Field(ge=1, le=MOST_DPI), WHOLE] | None = Field(
        default=None,
        description="Dots per inch that the result is printed at, as its file says; the photograph's own where not "
        "given. The pixels stay the same.",
    )
    metadata: Kept = Field(
        default="keep",
        description="Of the photograph: creator, copyright, credit and dpi are kept, or nothing is (none). Its "
        "position and everything else never is.",
    )

    @model_validator(mode="after")
    def _one_way_to_weigh(self) -> Self:
        if self.strength is not None and (self.content_weight is not None or self.style_weight is not None):
            raise ValueError(
                "strength sets content_weight and style_weight: give either strength or the two weights."
            )
        if self.content_weight == 0 and self.style_weight == 0:
            raise ValueError("content_weight and style_weight are both 0: give at least one above 0.")
        return self


def parse_options(given: Mapping[str, object], *, text: bool) -> StylizeOptions:
    """The options of a request.

    Args:
        given: name -> value.
        text: the values are texts (form fields, a command line), which stand for numbers. In JSON a number is
            a number.

    Raises:
        OptionsError: unknown names, wrong types, values out of bounds; all of them at once.
    """
    known = StylizeOptions.model_fields
    errors = [
        FieldError(name, f"{name} is null: leave it out, or give a value.")
        if name in known
        else FieldError(name, unknown(name, [*known, *PICTURES, STYLE_NAME], "option of this service"))
        for name, value in given.items()
        if value is None or name not in known
    ]
    try:
        options = StylizeOptions.model_validate(
            {name: value for name, value in given.items() if name in known and value is not None},
            strict=not text,
            context=TEXTS if text else None,
        )
    except ValidationError as error:
        errors += [_field_error(detail) for detail in error.errors()]
    if errors:
        raise OptionsError(errors)
    return options


def _field_error(detail: Any) -> FieldError:
    if not detail["loc"]:  # the model validator: more than one field is involved
        return FieldError("strength" if "strength" in _said(detail) else "style_weight", _said(detail))
    name = str(detail["loc"][0])
    if detail["type"] == "value_error":
        return FieldError(name, f"{name}: {_said(detail)}")
    if len(detail["loc"]) > 1 and isinstance(detail["loc"][1], int):  # inside a list
        item = f"number {detail['loc'][1] + 1} of {name}"
        return FieldError(name, f"{item} is {quote(detail['input'])}: give a number from 0 to 1e6.")
    return FieldError(name, explain(detail, name, StylizeOptions.model_json_schema()["properties"][name]))


def _said(detail: Any) -> str:
    return str(detail["ctx"]["error"])
