from pathlib import Path

import pytest

from service.style.network.vgg import VGG
from service.weights import load


@pytest.fixture(scope="session")
def network(vgg16_dir: Path) -> VGG:
    """The real one."""
    return load("vgg16", vgg16_dir).network
