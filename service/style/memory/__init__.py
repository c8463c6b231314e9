"""How much memory a picture takes."""

from service.style.memory.pictures import held
from service.style.memory.prediction import (
    DoesNotFitError,
    Need,
    amount,
    largest_square,
    require,
    require_room,
)

__all__ = [
    "DoesNotFitError",
    "Need",
    "amount",
    "held",
    "largest_square",
    "require",
    "require_room",
]
