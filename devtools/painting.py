"""Pictures of examples/, painted without the service."""

from dataclasses import replace
from pathlib import Path

from torch import Tensor

from service.images import decode
from service.style import transfer
from service.style.network.vgg import VGG
from service.style.options import Options
from service.style.progress import Result, finish

EXAMPLES = Path(__file__).parents[1] / "examples"


def example(name: str) -> Tensor:
    """A picture, uint8 (3, H, W), by its name, such as photos/chelsea or styles/stained-glass."""
    return decode((EXAMPLES / f"{name}.jpg").read_bytes()).rgb


def paint(
    network: VGG, photograph: Tensor, *artworks: Tensor, base: Options | None = None, **changes: object
) -> Result:
    """What a transfer comes to: with the default options, or `base`, and changes to them."""
    options = replace(base or Options(), **changes)  # type: ignore[arg-type]
    return finish(transfer.stylize(network, photograph, artworks, options))
