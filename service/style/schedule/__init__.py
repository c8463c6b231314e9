"""Coarse to fine, and how the time is spent."""

from service.style.schedule.pyramid import EVALUATIONS, scales
from service.style.schedule.stopwatch import Stopwatch

__all__ = [
    "EVALUATIONS",
    "Stopwatch",
    "scales",
]
