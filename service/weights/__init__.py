"""Where VGG weights come from, how they are checked, and how they are brought to one activation scale."""

from service.weights.backbones import BACKBONES, HttpSource, WheelSource
from service.weights.errors import WeightsError
from service.weights.store import LoadedBackbone, Provisioned, available, load, provision

__all__ = [
    "BACKBONES",
    "HttpSource",
    "LoadedBackbone",
    "Provisioned",
    "WeightsError",
    "WheelSource",
    "available",
    "load",
    "provision",
]
