"""The numbers below a panel."""

import pytest
from PIL import Image

from examples.figures.client import Painted
from examples.figures.recipes import Panel
from examples.figures.results import Done
from service.intake.operations import STYLIZE
from service.style import strength_to_content_weight


@pytest.mark.parametrize(
    ("settings", "alpha"),
    [
        ({"content_weight": 0.02, "style_weight": 1.0}, 0.02),
        ({"strength": 0.2}, strength_to_content_weight(0.2)),
    ],
)
def test_losses_are_those_without_their_weights(settings: dict[str, float], alpha: float) -> None:
    report = {
        "settings": settings,
        "losses": {"content": 3 * alpha, "style": 4.0},
        "timings": {"optimise": 1.0},
        "evaluations": 5,
        "stopped": "iterations",
    }
    panel = Panel("", STYLIZE.path, {})
    numbers = Done("", "", panel, Painted(Image.new("RGB", (4, 4)), report)).numbers
    assert (numbers["content"], numbers["style"]) == (pytest.approx(3), 4)
