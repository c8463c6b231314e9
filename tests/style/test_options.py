import pytest

from service.style.options import Options


@pytest.mark.parametrize(("scale", "longest"), [(0.5, 200), (1, 400), (2, 800)])
def test_artworks_are_as_large_as_style_scale_says_beside_the_result(scale: float, longest: int) -> None:
    assert Options(style_scale=scale).longest_of_artworks(400) == longest
