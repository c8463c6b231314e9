"""The network that the engine paints with, loaded and warmed up."""

from service.model.painting import PaintingModel, load_model
from service.model.version import system_version

__all__ = [
    "PaintingModel",
    "load_model",
    "system_version",
]
