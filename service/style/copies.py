"""Pictures at the sizes at which a transfer uses them, made on whichever thread has the time for it."""

from collections.abc import Callable

from torch import Tensor

from service.style import resample
from service.style.network import REPEAT, Padding

Pin = Callable[[Tensor], Tensor]


class Copies:
    """Copies of pictures, each made once: when it is first asked for, on the thread that asks.

    Whoever asks for all of them beforehand (`Inputs.prepare`) spares the thread that paints the resizing. For one
    thread after the other, not for two at the same time.

    Args:
        pin: is given each copy, and what it returns is kept: see `pinned`. None: they are kept as they are made.
    """

    def __init__(self, pin: Pin | None = None) -> None:
        self._pin = pin
        # By the identity of the picture, which is kept with its copy: as long as it lives, no other has its id.
        self._made: dict[tuple[int, tuple[int, int], Padding], tuple[Tensor, Tensor]] = {}

    def of(
        self,
        picture: Tensor,
        size: tuple[int, int],
        alpha: Tensor | None = None,
        padding: Padding = REPEAT,
    ) -> Tensor:
        """A picture at this size.

        Args:
            picture: uint8 (3, h, w), sRGB.
            size: (H, W) wanted.
            alpha: uint8 (1, h, w), of the picture; None: it is opaque. See `resample.lanczos`.
            padding: what the filter sees beyond the border.

        Returns:
            uint8 (3, H, W), by Pillow's Lanczos filter; of its own size the picture itself.
        """
        if tuple(picture.shape[-2:]) == size:
            return picture
        key = id(picture), size, padding
        if key not in self._made:
            copy = resample.lanczos(picture, size, alpha, padding)
            self._made[key] = picture, copy if self._pin is None else self._pin(copy)
        return self._made[key][1]


def pinned(picture: Tensor, pin: Pin = Tensor.pin_memory) -> Tensor:
    """The same picture in memory that stays where it is, so that a GPU fetches it while the CPU goes on.

    Args:
        picture: any tensor on the CPU.
        pin: does it.

    Returns:
        The picture itself where that fails: it is as good, and only slower.
    """
    try:
        return pin(picture)
    except RuntimeError:  # no such memory is left, or there is no GPU
        return picture
