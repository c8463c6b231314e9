"""Weights files of other people, recognised by what is in them, not by how they are called."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from service.weights.convert import Weights, from_keras_onnx, from_torchvision
from service.weights.errors import WeightsError


def read_foreign(path: Path) -> Weights:
    """Read a weights file in a layout that is not ours.

    Args:
        path: a PyTorch file (loaded without running anything in it) or safetensors, with torchvision's names
            and input; or ONNX, with Keras' names and input.

    Returns:
        Its convolutions, not calibrated.

    Raises:
        WeightsError: "it" is nothing of the sort; the caller says what "it" is.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(9)
    if start[8:] == b"{":  # after the length of its header
        return from_torchvision(_safetensors(path))
    if start.startswith((b"PK", b"\x80")):  # a zip archive, or a bare pickle as before PyTorch 1.6
        return from_torchvision(_pytorch(path))
    if start.startswith(b"\x08"):  # protobuf: field 1, a number; onnx.proto: ModelProto.ir_version
        return from_keras_onnx(path)
    raise WeightsError("it is neither a PyTorch nor a safetensors file")


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"it is a damaged safetensors file ({error})") from error


def _pytorch(path: Path) -> dict[str, Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged pickles raise whatever they like
        raise WeightsError(
            f"PyTorch cannot load it safely as a dictionary of tensors ({type(error).__name__})"
        ) from error
    if not isinstance(state, dict):
        raise WeightsError("it holds no dictionary of tensors")
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}
