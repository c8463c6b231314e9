"""Weights files of other people, recognised by what is in them, not by how they are called."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from service.weights.convert import Weights, from_keras_onnx, from_torchvision
from service.weights.errors import WeightsError
from service.weights.sources import VGG16_SHA256


def read_foreign(path: Path, sha256: str) -> Weights:
    """Read a weights file in a layout that is not ours.

    Args:
        path: PyTorch's .pth or .pt (loaded without running anything in it) or safetensors, with torchvision's
            names; or the ONNX file of the Oxford VGG-16, which is known by its checksum alone.
        sha256: the file's checksum.

    Returns:
        Its convolutions, not calibrated.

    Raises:
        WeightsError: it is nothing of the sort.
        OSError: it cannot be read.
    """
    try:
        if sha256 == VGG16_SHA256:
            return from_keras_onnx(path)
        return from_torchvision(_tensors(path))
    except WeightsError as error:
        raise WeightsError(f"{path} is of no use: {error}") from error


def _tensors(path: Path) -> dict[str, Tensor]:
    with path.open("rb") as file:
        start = file.read(9)
    if start[8:] == b"{":
        try:
            return load_file(path)
        except (SafetensorError, json.JSONDecodeError) as error:
            raise WeightsError(f"it is a damaged safetensors file ({error})") from error
    if not start.startswith((b"PK", b"\x80")):  # a zip archive, or a bare pickle as before PyTorch 1.6
        raise WeightsError("it is neither a PyTorch nor a safetensors file")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged pickles raise whatever they like
        raise WeightsError(
            f"PyTorch cannot load it safely as a dictionary of tensors ({type(error).__name__})"
        ) from error
    if not isinstance(state, dict):
        raise WeightsError("it holds no dictionary of tensors")
    return {
        name: tensor for name, tensor in state.items() if isinstance(name, str) and isinstance(tensor, Tensor)
    }
