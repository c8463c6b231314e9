"""Strips: the rows of a picture, or of a response, that are computed at a time where all at once would not fit.

A block of k convolutions, 3x3 each, sees k rows beyond those that it computes. So a strip of rows of the block's
input with k more on either side gives exactly what the whole would: at the cut edge the padding is wrong,
but that spoils one row for each convolution, and those are thrown away. Backwards the same k rows get their part of
the gradient of the strip's own rows, which is added to the part that comes from the next strip.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

POSITIONS = 2**18
"""Of the picture, in a strip: 512x512 px and less is one. A response of the first block takes 32 MiB in bfloat16."""

FEWEST_ROWS = 32
"""Of a strip: narrower ones would compute more of their neighbours than of themselves."""


@dataclass(frozen=True)
class Strip:
    """Some rows of a block, and what is around them.

    Attributes:
        rows: its own, in the whole.
        padded: with those of its neighbours that it has to see, in the whole; beyond it where it wraps.
        inner: its own, among the padded ones.
        pooled: its own after the pooling, in the whole.
        height: rows of the whole.
    """

    rows: slice
    padded: slice
    inner: slice
    pooled: slice
    height: int

    @property
    def is_whole(self) -> bool:
        """Whether there is no other."""
        return self.padded == slice(0, self.height)

    def take(self, whole: Tensor) -> Tensor:
        """The padded rows of a response, (1, C, H, W)."""
        pieces = [whole[:, :, there] for there, _ in self._pieces()]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, 2)

    def give(self, whole: Tensor, rows: Tensor) -> None:
        """Adjoint of `take`: add the padded rows to those of the whole."""
        for there, here in self._pieces():
            whole[:, :, there] += rows[:, :, here]

    def _pieces(self) -> list[tuple[slice, slice]]:
        """The padded rows where they are in the whole, and among themselves."""
        pieces, at = [], self.padded.start
        while at < self.padded.stop:
            turn = at // self.height * self.height
            stop = min(self.padded.stop, turn + self.height)
            pieces.append(
                (slice(at - turn, stop - turn), slice(at - self.padded.start, stop - self.padded.start))
            )
            at = stop
        return pieces


def rows_of(width: int) -> int:
    """How many rows, in every block, a strip has at most for a picture of this width: an even number."""
    return max(FEWEST_ROWS, POSITIONS // width // 2 * 2)


def strips(height: int, rows: int, halo: int, *, wrap: bool = False) -> list[Strip]:
    """Cut a block of this height into strips of `rows` rows (an even number), each with `halo` more on either side.

    Where the rows wrap, the first and the last one see each other.

    The last one may be a row longer, rather than leave a single row over, which no pooling could take.
    """
    starts = range(0, max(1, height - 1), rows)
    cut = []
    for start, stop in zip(starts, [*starts[1:], height], strict=True):
        padded = slice(max(0, start - halo), min(height, stop + halo))
        if wrap and len(starts) > 1:
            padded = slice(start - halo, stop + halo)
        inner = slice(start - padded.start, stop - padded.start)
        cut.append(Strip(slice(start, stop), padded, inner, slice(start // 2, stop // 2), height))
    return cut
