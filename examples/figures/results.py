"""What came of the panels: the numbers of each, and whether they show what the paper says."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from devtools.sheet import Cell, Row, draw
from examples.figures import measures, recipes
from examples.figures.client import Client, Painted
from examples.figures.recipes import Figure, Original, Panel, Strip
from service.intake.operations import RECONSTRUCT_CONTENT, RECONSTRUCT_STYLE, STYLIZE
from service.style import strength_to_content_weight

NARROWEST = 190
"""Pixels that the captions need."""


@dataclass(frozen=True)
class Done:
    """A panel with its picture.

    Attributes:
        figure: name of its figure.
        strip: label of its row.
        panel: what was asked.
        painted: what was answered.
    """

    figure: str
    strip: str
    panel: Panel
    painted: Painted

    @property
    def numbers(self) -> dict[str, Any]:
        """A line of the table. Losses are those of the delivered picture, without α and β; None: not asked for."""
        report, settings = self.painted.report, self.painted.report["settings"]
        alpha, beta = settings.get("content_weight", 1.0), settings.get("style_weight", 1.0)
        if "strength" in settings:  # below the paper's ratio; it stands for both
            alpha = strength_to_content_weight(settings["strength"])
        losses = report["losses"]
        found = {
            "figure": self.figure,
            "row": self.strip,
            "panel": self.panel.caption,
            "content": losses["content"] / alpha if self.panel.path != RECONSTRUCT_STYLE.path else None,
            "style": losses["style"] / beta if self.panel.path != RECONSTRUCT_CONTENT.path else None,
            "error": None,
            "psnr": None,
            "length": None,
            "evaluations": report["evaluations"],
            "stopped": report["stopped"],
            "seconds": report["timings"]["optimise"],
        }
        if self.panel.path == RECONSTRUCT_CONTENT.path:
            assert self.panel.content is not None
            with Image.open(self.panel.content) as file:
                original = measures.as_large(file, self.painted.picture)
            found["error"] = measures.mean_error(self.painted.picture, original)
            found["psnr"] = measures.psnr(self.painted.picture, original)
        if self.panel.path == RECONSTRUCT_STYLE.path:
            found["length"] = measures.correlation_length(self.painted.picture)
        return found

    @property
    def note(self) -> str:
        """The numbers that matter, for the line below the picture."""
        numbers = self.numbers
        if numbers["error"] is not None:
            return f"mean error {numbers['error']:.1f}/255, {numbers['psnr']:.1f} dB"
        if numbers["length"] is not None:
            return f"correlation length {numbers['length']:.1f} px"
        return f"content {_list([numbers['content']], '.1e')}, style {_list([numbers['style']], '.1e')}"


def paint(client: Client, figure: Figure, strip: Strip, panel: Panel) -> Done:
    """Ask for one panel.

    Raises:
        ServiceError: there is no service, or it does not paint it.
    """
    painted = client.paint(
        panel.path, panel.options, content=panel.content, styles=panel.styles, others=panel.others
    )
    return Done(figure.name, strip.label, panel, painted)


def sheet(figure: Figure, done: Sequence[Done], width: int) -> Image.Image:
    """The figure, with pictures of this width (pixels), or as wide as their captions need."""
    waiting = iter(done)

    def cell(shown: Original | Panel) -> Cell:
        if isinstance(shown, Panel):
            each = next(waiting)
            return Cell(each.painted.picture, shown.caption, each.note)
        with Image.open(shown.file) as file:
            return Cell(measures.upright(file), shown.caption, "original")

    return draw(
        figure.title,
        [Row(strip.label, [cell(each) for each in strip.shown]) for strip in figure.strips],
        max(width, NARROWEST),
    )


@dataclass(frozen=True)
class Finding:
    """Something that the paper says, and whether these pictures show it."""

    sentence: str
    holds: bool

    def __str__(self) -> str:
        return f"{'yes' if self.holds else 'NO '}  {self.sentence}"


def findings(done: Sequence[Done]) -> list[Finding]:
    """What the numbers of Figure 1 and Figure 3 show."""
    found = []
    for (_, strip), group in itertools.groupby(done, lambda each: (each.figure, each.strip)):
        each = list(group)
        numbers = [one.numbers for one in each]
        path = each[0].panel.path
        if path == RECONSTRUCT_CONTENT.path:
            errors = [one["error"] for one in numbers]
            sentence = f"the error of the reconstruction grows with depth: {_list(errors, '.1f')} of 255"
            found.append(Finding(sentence, _rises(errors)))
        elif path == RECONSTRUCT_STYLE.path:
            lengths = [one["length"] for one in numbers]
            with Image.open(each[0].panel.styles[0]) as file:
                artwork = measures.correlation_length(measures.as_large(file, each[0].painted.picture))
            sentence = (
                f"textures of {recipes.LAYERS[0]} alone are finer than those of more layers: "
                f"{_list(lengths, '.1f')} px, the artwork {artwork:.1f} px"
            )
            found.append(Finding(sentence, lengths[0] < min(lengths[1:])))
        elif path == STYLIZE.path and "content_weight" in each[0].panel.options:
            contents, styles = ([one[name] for one in numbers] for name in ("content", "style"))
            sentence = (
                f"{strip}: as alpha/beta grows, the content loss falls ({_list(contents, '.2e')}) "
                f"and the style loss rises ({_list(styles, '.2e')})"
            )
            found.append(Finding(sentence, _rises(contents[::-1]) and _rises(styles)))
    return found


def markdown(done: Sequence[Done], found: Sequence[Finding]) -> str:
    """The table of all panels, and what it shows."""
    names = {
        "figure": "figure",
        "row": "row",
        "panel": "panel",
        "content": "L_content",
        "style": "L_style",
        "error": "mean error, 1/255",
        "psnr": "PSNR, dB",
        "length": "correlation length, px",
        "evaluations": "evaluations",
        "stopped": "stopped",
        "seconds": "seconds",
    }
    lines = ["| " + " | ".join(names.values()) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(_text(one.numbers[name]) for name in names) + " |" for one in done]
    lines += ["", *(f"- {each}" for each in found)]
    return "\n".join(lines) + "\n"


def _rises(values: Sequence[float]) -> bool:
    return all(low < high for low, high in itertools.pairwise(values))


def _list(values: Sequence[float], form: str) -> str:
    return ", ".join(format(value, form).replace("e+0", "e").replace("e+", "e") for value in values)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
