"""Fixtures that all tests share."""

import os

# Before torch is imported. Threads that spin while they wait take the cores from those that work: beside a busy
# process, small pictures took twenty times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def vgg16_dir() -> Path:
    """The weights directory, with the real VGG-16 in it; without it the test fails, as it has shown nothing."""
    default = Path(__file__).parents[1] / "weights"
    directory = Path(os.environ.get("STYLIZE_WEIGHTS_DIR") or default)
    if not (directory / "vgg16.safetensors").is_file():
        pytest.fail(f"the VGG-16 weights are not in {directory}: run `make setup`, which provisions them")
    return directory
