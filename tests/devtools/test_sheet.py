import numpy as np
from PIL import Image

from devtools.sheet import GAP, Cell, Row, draw


def square(color: str) -> Image.Image:
    return Image.new("RGB", (20, 10), color)


def test_pictures_stand_in_rows_as_wide_as_asked_for() -> None:
    rows = [
        Row("above", [Cell(square("red"), "one"), Cell(square("blue"), "two", "a note")]),
        Row("", [Cell(square("lime"), "three")]),
    ]
    sheet = draw("A title", rows, 60)
    assert sheet.width == 2 * (60 + GAP) + GAP
    pixels = np.asarray(sheet)
    for color, left in (((255, 0, 0), GAP), ((0, 0, 255), 2 * GAP + 60), ((0, 255, 0), GAP)):
        rows_, columns = np.nonzero((pixels == color).all(2))
        assert (columns.min(), columns.max()) == (left, left + 59)
        assert rows_.max() - rows_.min() == 29


def test_a_text_too_long_for_its_place_is_written_smaller_and_not_over_its_neighbour() -> None:
    long = "a caption that is wider than its picture"
    sheet = draw("t", [Row("", [Cell(square("red"), long), Cell(square("red"), "")])], 200)
    pixels = np.asarray(sheet.convert("L"))
    below = pixels[-50:]
    assert (below[:, GAP : GAP + 200] < 128).any()
    assert (below[:, GAP + 200 + GAP // 2 :] > 200).all()
