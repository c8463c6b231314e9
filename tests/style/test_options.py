import pytest

from service.style.options import Options, strength_to_content_weight


def test_strength_goes_from_hardly_painted_over_the_papers_ratio_to_hardly_the_photograph() -> None:
    ratios = [strength_to_content_weight(strength) for strength in (0, 0.25, 0.5, 1)]
    assert ratios == pytest.approx([1e-1, 1e-2, 1e-3, 1e-5])


@pytest.mark.parametrize("strength", [-0.01, 1.01, float("nan")])
def test_a_strength_outside_its_range_is_refused(strength: float) -> None:
    with pytest.raises(ValueError, match="give a number from 0 to 1"):
        strength_to_content_weight(strength)


@pytest.mark.parametrize(("scale", "longest"), [(0.5, 200), (1, 400), (2, 800)])
def test_artworks_are_as_large_as_style_scale_says_beside_the_result(scale: float, longest: int) -> None:
    assert Options(style_scale=scale).longest_of_artworks(400) == longest
