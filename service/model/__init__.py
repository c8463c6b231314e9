"""The network that the engine paints with, loaded and warmed up."""

from service.model.painting import PaintingModel, load_model

__all__ = [
    "PaintingModel",
    "load_model",
]
