"""Contact sheets: pictures in rows, each with a caption and a note, under a title."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

GAP = 12
_TITLE, _LABEL, _CAPTION, _NOTE = 22, 16, 15, 12  # heights of letters, in pixels
_SMALLEST = 8
_INK, _FAINT = "#111", "#666"


@dataclass(frozen=True)
class Cell:
    """One picture.

    Attributes:
        picture: shown as wide as the sheet's cells.
        caption: what it is.
        note: numbers about it, smaller.
    """

    picture: Image.Image
    caption: str
    note: str = ""


@dataclass(frozen=True)
class Row:
    """Pictures side by side, with a line above them (none where it is empty)."""

    label: str
    cells: Sequence[Cell]


def draw(title: str, rows: Sequence[Row], width: int) -> Image.Image:
    """The sheet.

    Args:
        title: in its first line.
        rows: from top to bottom.
        width: of each picture, pixels; its height follows.
    """
    columns = max(len(row.cells) for row in rows)
    parts = [_row(row, width) for row in rows]
    top = GAP + _TITLE + GAP
    sheet = Image.new(
        "RGB", (columns * (width + GAP) + GAP, top + sum(part.height for part in parts)), "white"
    )
    _write(ImageDraw.Draw(sheet), (GAP, GAP), title, _TITLE, sheet.width - 2 * GAP)
    for part in parts:
        sheet.paste(part, (0, top))
        top += part.height
    return sheet


def _row(row: Row, width: int) -> Image.Image:
    tiles = [
        cell.picture.convert("RGB").resize(
            (width, round(width * cell.picture.height / cell.picture.width)), Image.Resampling.LANCZOS
        )
        for cell in row.cells
    ]
    tallest = max(tile.height for tile in tiles)
    above = _LABEL + GAP if row.label else 0
    height = above + tallest + 6 + _CAPTION + 6 + _NOTE + 6 + GAP
    strip = Image.new("RGB", (len(tiles) * (width + GAP) + GAP, height), "white")
    pen = ImageDraw.Draw(strip)
    if row.label:
        _write(pen, (GAP, 0), row.label, _LABEL, strip.width - 2 * GAP)
    for number, (cell, tile) in enumerate(zip(row.cells, tiles, strict=True)):
        left = GAP + number * (width + GAP)
        strip.paste(tile, (left, above))
        below = above + tallest + 6
        _write(pen, (left, below), cell.caption, _CAPTION, width)
        _write(pen, (left, below + _CAPTION + 6), cell.note, _NOTE, width, _FAINT)
    return strip


def _write(
    pen: ImageDraw.ImageDraw, corner: tuple[int, int], text: str, size: int, room: int, ink: str = _INK
) -> None:
    """The text, in smaller letters or cut where it would be wider than its room (pixels)."""
    font = ImageFont.load_default(size)
    while size > _SMALLEST and pen.textlength(text, font) > room:
        size -= 1
        font = ImageFont.load_default(size)
    while text and pen.textlength(text, font) > room:
        text = text[:-1]
    pen.text(corner, text, fill=ink, font=font)
