"""Which version of the service painted, with which network."""

from service import __version__
from service.engine import Model


def system_version(model: Model) -> str:
    """What a result says that it was made with, such as "0.1.0 vgg16 4f3e2d1c"."""
    return f"{__version__} {model.backbone} {model.weights}"
