"""Which label images go together, and what is said where they do not."""

import pytest
import torch

from service.images.labels import Labels
from service.intake.errors import OptionsError
from service.intake.masks import match, misfit

RED, GREEN, BLUE = 0xFF0000, 0x00FF00, 0x0000FF


def labels(*colours: int, width: int = 40, height: int = 30) -> Labels:
    """Columns of equal width."""
    codes = torch.tensor(colours, dtype=torch.int32).repeat_interleave(4).expand(6, -1)
    return Labels(tuple(sorted(set(colours) - {0})), codes, (width, height))


SIZE = (400, 300)


def complaints(content: Labels, *styles: Labels, weights: list[float] | None = None) -> list[tuple[str, str]]:
    with pytest.raises(OptionsError) as raised:
        match(content, styles, photograph=SIZE, artworks=[SIZE] * len(styles), style_weights=weights)
    return [(error.field, error.message) for error in raised.value.errors]


def test_a_label_is_the_same_region_in_the_photograph_and_in_the_artworks() -> None:
    masks, regions = match(
        labels(RED, BLUE, 0, 0),
        [labels(BLUE, GREEN, 0, 0), labels(RED, RED, BLUE, BLUE)],
        photograph=SIZE,
        artworks=[SIZE, SIZE],
        style_weights=None,
    )
    blue, red = regions
    assert (blue.label, blue.share, blue.styles) == ("#0000ff", 0.25, (1, 2))
    assert (red.label, red.share, red.styles) == ("#ff0000", 0.25, (2,))
    assert masks.picture[0].tolist() == [2] * 4 + [1] * 4 + [0] * 8
    assert masks.artworks is not None
    assert masks.artworks[0][0].tolist() == [1] * 4 + [0] * 12
    assert masks.artworks[1][0].tolist() == [2] * 8 + [1] * 8


def test_without_masks_every_artwork_has_all_labels() -> None:
    masks, regions = match(labels(RED, 0), [], photograph=SIZE, artworks=[SIZE, SIZE], style_weights=[1, 0])
    assert masks.artworks is None
    assert [(region.label, region.styles) for region in regions] == [("#ff0000", (1,))]


def test_a_label_that_no_artwork_has_is_named() -> None:
    expected = (
        "style_mask",
        "#00ff00 is in content_mask, but in no style_mask of an artwork with a weight above 0: use it there too, or "
        "paint it black here.",
    )
    assert complaints(labels(RED, GREEN), labels(RED, BLUE)) == [expected]


def test_an_artwork_of_weight_0_is_no_example() -> None:
    found = complaints(labels(RED), labels(RED), labels(BLUE), weights=[0, 1])
    assert [field for field, _ in found] == ["style_mask"]
    assert "#ff0000" in found[0][1]


def test_a_mask_of_black_alone_paints_nothing() -> None:
    ((field, message),) = complaints(labels(0, 0))
    assert field == "content_mask"
    assert message.startswith("content_mask is entirely black")


def test_each_mask_has_the_aspect_ratio_of_its_picture() -> None:
    found = complaints(labels(RED, height=20), labels(RED), labels(RED, width=42))
    assert found == [
        (
            "content_mask",
            "content_mask has 40x20 px and content 400x300 px: give both the same aspect ratio, within 2%.",
        ),
        (
            "style_mask",
            "style_mask 2 has 42x30 px and artwork 2 400x300 px: give both the same aspect ratio, within 2%.",
        ),
    ]


@pytest.mark.parametrize(
    ("size", "fits"),
    [((400, 300), True), ((40, 30), True), ((407, 300), True), ((409, 300), False), ((300, 400), False)],
)
def test_two_per_cent_are_tolerated(size: tuple[int, int], fits: bool) -> None:
    assert (misfit("init_image", size, "content", (400, 300)) == []) == fits
