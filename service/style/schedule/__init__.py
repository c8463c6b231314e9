"""Coarse to fine, and how the time is spent."""

from service.style.schedule.pyramid import scales

__all__ = [
    "scales",
]
