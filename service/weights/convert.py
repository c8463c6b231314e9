"""Weights as others lay them out, turned into ours.

Ours: tensors named as `service.style.network.vgg.VGG` wants them, float32, for RGB input in [0, 1] of which the
network sees 255·x - mean. Whatever else a convention does to its input (division by the standard deviation,
BGR order) is folded into the weights of conv1_1, which is exact: the convolution is linear and pads after
that step.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from service.style.network import BLOCKS, CHANNELS, IMAGENET_MEAN, Arch, layer_names
from service.weights.errors import WeightsError

# torchvision.models: transforms.Normalize(mean, std) of RGB in [0, 1].
TORCHVISION_MEAN = (0.485, 0.456, 0.406)
TORCHVISION_STD = (0.229, 0.224, 0.225)

_TORCHVISION_NAME = re.compile(r"features\.(\d+)\.weight")
_KERAS_NAME = re.compile(r"(?:.*/)?block(\d)_conv(\d)(?:_\d+)?/(convolution|Squeeze|BiasAdd)\b.*")


@dataclass(frozen=True)
class Weights:
    """The convolutions of one network in our layout.

    Attributes:
        arch: which network.
        tensors: "NAME.weight" (out, in, 3, 3) and "NAME.bias" (out,) for each layer, float32, on the CPU.
        mean: subtracted from the 0-255 input, red, green, blue.
    """

    arch: Arch
    tensors: Mapping[str, Tensor]
    mean: tuple[float, float, float]


def torchvision_indices(arch: Arch) -> tuple[int, ...]:
    """Where the convolutions stand in torchvision's `features`: each with a ReLU, and a pooling per block."""
    indices: list[int] = []
    position = 0
    for count in BLOCKS[arch]:
        indices += range(position, position + 2 * count, 2)
        position += 2 * count + 1
    return tuple(indices)


def from_torchvision(state: Mapping[str, Tensor]) -> Weights:
    """Weights under torchvision's names (`features.N.weight`), with torchvision's input convention.

    Args:
        state: the state dictionary of torchvision's vgg16 or vgg19, with or without the classifier.

    Raises:
        WeightsError: these are neither.
    """
    found = sorted(
        int(match[1])
        for name, tensor in state.items()
        if (match := _TORCHVISION_NAME.fullmatch(name)) and tensor.ndim == 4
    )
    arch = next((arch for arch in BLOCKS if tuple(found) == torchvision_indices(arch)), None)
    if arch is None:
        raise WeightsError(
            "it holds no VGG-16 or VGG-19: tensors named as in torchvision's vgg16 or vgg19 "
            "(features.0.weight and so on, without batch normalisation) are expected"
        )
    tensors = _collect(
        arch, state, {name: f"features.{index}" for name, index in zip(layer_names(arch), found, strict=True)}
    )
    # (x - mean) / std = (255 x - 255 mean) / (255 std): what is left is a factor per input channel.
    scale = 255 * torch.tensor(TORCHVISION_STD, dtype=torch.float64).view(1, 3, 1, 1)
    tensors["conv1_1.weight"] = (tensors["conv1_1.weight"].double() / scale).float()
    red, green, blue = TORCHVISION_MEAN
    return Weights(arch, tensors, (255 * red, 255 * green, 255 * blue))


def from_keras_onnx(path: Path) -> Weights:
    """Read the convolutions of an ONNX file that Keras' VGG-16 or VGG-19 was exported to.

    Keras keeps the original networks' input: BGR, 0-255, minus the mean. Only the stored tensors are read;
    the graph is not run. tf2onnx has already put the kernels in (out, in, height, width) order.

    Raises:
        WeightsError: it is no such file.
    """
    import onnx  # not at the top: a server that finds its weights ready needs none of it
    from onnx import numpy_helper

    try:
        initializers = onnx.load(str(path), load_external_data=False).graph.initializer
        found: dict[str, Tensor] = {}
        for initializer in initializers:
            if match := _KERAS_NAME.fullmatch(initializer.name):
                part = "weight" if len(initializer.dims) == 4 else "bias"
                found[f"conv{match[1]}_{match[2]}.{part}"] = torch.from_numpy(
                    numpy_helper.to_array(initializer).copy()
                )
    except Exception as error:  # protobuf's and onnx's own, of many kinds
        raise WeightsError(f"it is not a readable ONNX file ({type(error).__name__})") from error
    arch = next((arch for arch in BLOCKS if len(found) == 2 * len(layer_names(arch))), None)
    if arch is None:
        raise WeightsError("it holds no VGG-16 or VGG-19 as Keras names them (block1_conv1 and so on)")
    tensors = _collect(arch, found, {name: name for name in layer_names(arch)})
    tensors["conv1_1.weight"] = tensors["conv1_1.weight"].flip(1).contiguous()  # BGR -> RGB
    return Weights(arch, tensors, IMAGENET_MEAN)


def _collect(arch: Arch, state: Mapping[str, Tensor], stems: Mapping[str, str]) -> dict[str, Tensor]:
    """Take every layer's weight and bias from where `stems` says they are, checked for presence and shape."""
    tensors: dict[str, Tensor] = {}
    incoming = 3
    for name in layer_names(arch):
        outgoing = CHANNELS[int(name[4]) - 1]
        for part, shape in (("weight", (outgoing, incoming, 3, 3)), ("bias", (outgoing,))):
            key = f"{stems[name]}.{part}"
            if key not in state:
                raise WeightsError(f"its {key} is missing, so it is not a complete {arch}")
            tensor = state[key].detach()
            if tuple(tensor.shape) != shape:
                raise WeightsError(f"its {key} has shape {tuple(tensor.shape)}, but {arch} has {shape} there")
            tensors[f"{name}.{part}"] = tensor.to("cpu", torch.float32).contiguous()
        incoming = outgoing
    return tensors
