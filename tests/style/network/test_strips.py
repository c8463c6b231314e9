import pytest

from service.style.network.strips import FEWEST_ROWS, rows_of, strips


@pytest.mark.parametrize("height", [1, 2, 3, 7, 8, 9, 10, 17, 40, 41])
@pytest.mark.parametrize("rows", [2, 4, 8])
@pytest.mark.parametrize("halo", [0, 2, 4])
def test_the_strips_are_the_whole_and_each_sees_its_neighbours(height: int, rows: int, halo: int) -> None:
    cut = strips(height, rows, halo)
    everything = list(range(height))
    assert [row for strip in cut for row in everything[strip.rows]] == everything
    assert [row for strip in cut for row in range(height // 2)[strip.pooled]] == everything[: height // 2]
    for strip in cut:
        own, seen = everything[strip.rows], everything[strip.padded]
        assert seen[strip.inner] == own
        assert seen[0] == max(0, own[0] - halo)
        assert seen[-1] == min(height - 1, own[-1] + halo)
        assert own[0] % 2 == 0, "so that no pooling reaches across a cut"
        assert len(own) >= min(2, height)
        assert len(own) <= rows + 1
        assert strip.height == height


def test_a_small_picture_is_one_strip_and_a_wide_one_has_narrow_ones() -> None:
    assert rows_of(512) == 512
    assert rows_of(2048) == 128
    assert rows_of(100_000) == FEWEST_ROWS
    assert rows_of(333) % 2 == 0
