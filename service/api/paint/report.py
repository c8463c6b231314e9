"""What is answered where the client wants to know more: the models of the JSON answer and of the events before it."""

from typing import Any

from pydantic import BaseModel, Field

from service.style import Options, Stopped, opacity_to_strength


def settings_used(
    options: Options, image_format: str, quality: int | None, dpi: int | None = None, metadata: str = "keep"
) -> dict[str, Any]:
    """The options that a picture was made with, by the names of the API: sent again, they make it again."""
    used: dict[str, Any] = {
        "size": options.size,
        "content_weight": options.content_weight,
        "style_weight": options.style_weight,
        "content_layers": dict(options.content_layers),
        "style_layers": dict(options.style_layers),
        "style_weights": None if options.style_blend is None else list(options.style_blend),
        "style_scale": options.style_scale,
        "color": options.color,
        "tv_weight": options.tv_weight,
        "anchor_weight": options.anchor_weight or None,  # which goes with anchor_image
        "pooling": options.pooling,
        "tile": None if options.tile == "none" else options.tile,
        "init": options.init,
        "seed": options.seed,
        "budget": options.budget,
        "iterations": options.iterations,
        "format": image_format,
        "quality": quality,
        "depth": options.depth,
        "dpi": dpi,
        "metadata": metadata,
    }
    if options.opacity < 1:  # which nothing but strength can ask for
        del used["content_weight"], used["style_weight"]
        used["strength"] = round(opacity_to_strength(options.opacity), 12)
    return {name: value for name, value in used.items() if value is not None}


class BackboneReport(BaseModel):
    """The network that painted."""

    name: str
    note: str


class LossReport(BaseModel):
    """Losses of the delivered picture, in the paper's units; of its luminance where only that was painted."""

    content: float
    style: float
    variation: float
    anchor: float
    total: float
    layers: dict[str, float]


class Timings(BaseModel):
    """Seconds of each stage."""

    queue: float
    decode: float
    optimise: float
    encode: float


class RegionReport(BaseModel):
    """A part of the photograph that was painted in a style of its own."""

    label: str = Field(description="Its colour in content_mask, #rrggbb.")
    share: float = Field(ge=0, le=1, description="Its part of the picture.")
    styles: list[int] = Field(description="The artworks that it was painted like, by their places, from 1.")


class StyleReport(BaseModel):
    """One artwork of the catalogue. What is not known of its origin is left out."""

    name: str = Field(description="What style_name takes.")
    title: str
    artist: str | None = None
    year: str | None = None
    licence: str | None = None
    source: str | None = None
    width: int
    height: int
    thumbnail: str = Field(description="Where a JPEG of at most 256 px is.")


class StyleList(BaseModel):
    """The catalogue, in the order of the names."""

    styles: list[StyleReport]


class StylizeReport(BaseModel):
    """The answer to Accept: application/json."""

    image: str = Field(description="The picture, base64.")
    media_type: str
    width: int
    height: int
    request_id: str
    seed: int
    backbone: BackboneReport
    evaluations: int
    stopped: Stopped
    losses: LossReport
    timings: Timings
    settings: dict[str, Any] = Field(description="Every option with the value that was used.")
    regions: list[RegionReport] = Field(description="Of content_mask; empty without one.")


class QueuedData(BaseModel):
    """The event `queued`: how many requests come first, the running one included, and for how many seconds."""

    request_id: str
    position: int = Field(ge=0)
    seconds: float = Field(ge=0)


class ProgressData(BaseModel):
    """The event `progress`: how far it is. Width and height are those of the scale that is worked on."""

    fraction: float = Field(ge=0, le=1)
    evaluations: int
    loss: float
    seconds_left: float | None
    width: int
    height: int


class PreviewData(BaseModel):
    """The event `preview`: the picture so far, small."""

    image: str = Field(description="The picture, base64.")
    media_type: str
    width: int
    height: int
