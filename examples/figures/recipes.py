"""Which pictures make up the paper's figures, and what is asked of the service for each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from service.intake.operations import RECONSTRUCT_CONTENT, RECONSTRUCT_STYLE, STYLIZE

LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
"""Of the content reconstructions; their growing sets are those of the style."""

RATIOS = (1e-5, 1e-4, 1e-3, 1e-2)
"""α/β of Figure 3, left to right."""

ALIKE: Mapping[str, float] = {
    "conv1_1": 1.0,
    "conv2_1": 9e-4,
    "conv3_1": 5.1e-4,
    "conv4_1": 0.0434,
    "conv5_1": 2930.0,
}
"""Weights at which each style layer counts as if all layers responded alike: 1/rms⁴ on the scale that weights are
calibrated to, as E_l grows with the fourth power of the response. The network of the authors was normalised to the
same effect (Gatys, Ecker & Bethge 2016, section 2). Without them the textures of the last two sets are one."""


@dataclass(frozen=True)
class Original:
    """A picture that is shown as it is."""

    file: Path
    caption: str


@dataclass(frozen=True)
class Panel:
    """A picture that is asked for.

    Attributes:
        caption: below it, and in the table.
        path: of the operation.
        options: by the names of the API.
        content: file of the photograph, if the operation takes one.
        styles: files of the artworks.
        others: files of further pictures, by the names of the API.
    """

    caption: str
    path: str
    options: Mapping[str, object]
    content: Path | None = None
    styles: Sequence[Path] = ()
    others: Mapping[str, Path | Sequence[Path]] = field(default_factory=dict)


@dataclass(frozen=True)
class Strip:
    """One row of a figure; `label` names it in the sheet and in the table."""

    label: str
    shown: Sequence[Original | Panel]


@dataclass(frozen=True)
class Figure:
    """One sheet; `name` is that of its files."""

    name: str
    title: str
    strips: Sequence[Strip]

    @property
    def panels(self) -> list[Panel]:
        """What has to be asked for, in order."""
        return [each for strip in self.strips for each in strip.shown if isinstance(each, Panel)]


def figure_1(photo: Path, style: Path, size: int, iterations: int) -> Figure:
    """Reconstructions from white noise: textures above, the photograph below."""
    general = {"size": size, "iterations": iterations}
    textures = [
        Panel(
            _set(count),
            RECONSTRUCT_STYLE.path,
            {**general, "style_layers": {name: ALIKE[name] for name in LAYERS[:count]}},
            styles=[style],
        )
        for count in range(1, len(LAYERS) + 1)
    ]
    contents = [
        Panel(name, RECONSTRUCT_CONTENT.path, {**general, "content_layers": {name: 1.0}}, content=photo)
        for name in LAYERS
    ]
    return Figure(
        "figure1",
        "Figure 1: what the layers keep",
        [
            Strip("style reconstructions", [Original(style, style.stem), *textures]),
            Strip("content reconstructions", [Original(photo, photo.stem), *contents]),
        ],
    )


def figure_2(photo: Path, styles: Sequence[Path], size: int, iterations: int) -> Figure:
    """One photograph in several styles."""
    options = {"size": size, "iterations": iterations}
    return Figure(
        "figure2",
        "Figure 2: one photograph, several artworks",
        [
            Strip("artworks", [Original(photo, photo.stem), *(Original(each, each.stem) for each in styles)]),
            Strip(
                "paintings",
                [
                    Original(photo, "the photograph"),
                    *(Panel(each.stem, STYLIZE.path, options, photo, [each]) for each in styles),
                ],
            ),
        ],
    )


def figure_3(photo: Path, style: Path, size: int, iterations: int) -> Figure:
    """Style layers from top to bottom, α/β from left to right, from white noise as in the paper."""

    def panel(count: int, ratio: float) -> Panel:
        options = {
            "size": size,
            "iterations": iterations,
            "init": "noise",
            "content_weight": ratio,
            "style_weight": 1.0,
            "style_layers": dict.fromkeys(LAYERS[:count], 1 / count),
        }
        return Panel(f"alpha/beta {ratio:.0e}".replace("e-0", "e-"), STYLIZE.path, options, photo, [style])

    strips = [
        Strip(_set(count), [panel(count, ratio) for ratio in RATIOS]) for count in range(1, len(LAYERS) + 1)
    ]
    return Figure("figure3", f"Figure 3: {photo.stem} and {style.stem}, layers and weights", strips)


def _set(count: int) -> str:
    return LAYERS[0] if count == 1 else f"{LAYERS[0]} to {LAYERS[count - 1]}"
