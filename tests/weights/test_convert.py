from pathlib import Path
from typing import Any, cast

import pytest
import safetensors.torch
import torch
from torch import Tensor

from service.style.network.padding import ZERO
from service.style.network.vgg import VGG, Arch, layer_names
from service.weights.convert import Weights, from_keras_onnx, from_torchvision, torchvision_indices
from service.weights.errors import WeightsError
from service.weights.foreign import read_foreign


def network(weights: Weights) -> VGG:
    return VGG(weights.arch, weights.tensors, mean=weights.mean, pooling="max")


@pytest.mark.parametrize("arch", ["vgg16", "vgg19"])
def test_every_layer_responds_as_in_torchvisions_own_network(
    arch: Arch, request: pytest.FixtureRequest
) -> None:
    from torchvision.models.vgg import cfgs, make_layers

    state: dict[str, Tensor] = request.getfixturevalue(f"{arch}_state")
    features = cast(torch.nn.Sequential, make_layers(cfgs[{"vgg16": "D", "vgg19": "E"}[arch]]))
    features.load_state_dict({name.removeprefix("features."): tensor for name, tensor in state.items()})
    picture = torch.rand(1, 3, 48, 40, generator=torch.Generator().manual_seed(5))

    ours = network(from_torchvision(state)).with_padding(ZERO)(picture, layer_names(arch))

    h = (picture - torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)) / torch.tensor(
        [0.229, 0.224, 0.225]
    ).view(1, 3, 1, 1)
    names = dict(zip(torchvision_indices(arch), layer_names(arch), strict=True))
    with torch.no_grad():
        for index, layer in enumerate(features):
            h = layer(h).clone()
            if index - 1 in names:  # the ReLU after it
                expected = h
                found = ours[names[index - 1]]
                assert (found - expected).norm() < 1e-4 * expected.norm(), names[index - 1]
    assert len(names) == len(layer_names(arch))


def test_kerass_bgr_becomes_rgb_and_nothing_else_changes(
    keras_onnx: Any, vgg16_state: dict[str, Tensor]
) -> None:
    weights = from_keras_onnx(keras_onnx.path)
    assert weights.arch == "vgg16"
    assert weights.mean == (123.68, 116.779, 103.939)
    for name, index in zip(layer_names("vgg16"), torchvision_indices("vgg16"), strict=True):
        expected = vgg16_state[f"features.{index}.weight"]
        if name == "conv1_1":
            expected = expected[:, [2, 1, 0]]
        assert torch.equal(weights.tensors[f"{name}.weight"], expected)
        assert torch.equal(weights.tensors[f"{name}.bias"], vgg16_state[f"features.{index}.bias"])


def test_the_classifier_is_left_behind(vgg16_state: dict[str, Tensor]) -> None:
    weights = from_torchvision(vgg16_state | {"classifier.0.weight": torch.ones(2, 2)})
    assert len(weights.tensors) == 26


def test_half_precision_becomes_single(vgg16_state: dict[str, Tensor]) -> None:
    weights = from_torchvision({name: tensor.half() for name, tensor in vgg16_state.items()})
    assert {tensor.dtype for tensor in weights.tensors.values()} == {torch.float32}


def test_safetensors_and_pytorch_files_are_read_whatever_they_are_called(
    vgg16_state: dict[str, Tensor], tmp_path: Path
) -> None:
    safetensors.torch.save_file(vgg16_state, tmp_path / "one.bin")
    torch.save(vgg16_state, tmp_path / "two.bin")
    torch.save(vgg16_state, tmp_path / "three.bin", _use_new_zipfile_serialization=False)
    expected = from_torchvision(vgg16_state)
    for name in ("one.bin", "two.bin", "three.bin"):
        found = read_foreign(tmp_path / name)
        assert found.arch == "vgg16"
        assert all(torch.equal(found.tensors[key], expected.tensors[key]) for key in expected.tensors)


def test_another_network_is_refused_with_what_is_expected() -> None:
    resnet = {"conv1.weight": torch.zeros(64, 3, 7, 7), "bn1.weight": torch.zeros(64)}
    with pytest.raises(WeightsError, match="no VGG-16 or VGG-19: tensors named as in torchvision"):
        from_torchvision(resnet)


def test_a_vgg_with_batch_normalisation_is_refused(vgg16_state: dict[str, Tensor]) -> None:
    with_bn = {f"features.{3 * n}.weight": torch.zeros(64, 64, 3, 3) for n in range(13)}
    with pytest.raises(WeightsError, match="without batch normalisation"):
        from_torchvision(with_bn)


def test_a_missing_bias_is_named(vgg16_state: dict[str, Tensor]) -> None:
    state = dict(vgg16_state)
    del state["features.7.bias"]
    with pytest.raises(WeightsError, match=r"features\.7\.bias is missing"):
        from_torchvision(state)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "neither a PyTorch nor a safetensors file"),
        (b"<!DOCTYPE html><html>", "neither a PyTorch nor a safetensors file"),
        (b"PK\x03\x04" + bytes(100), "PyTorch cannot load it safely"),
        (b"\x80\x02cos\nsystem\nq\x00.", "PyTorch cannot load it safely"),
        (b"\x40" + bytes(7) + b"{" + bytes(100), "damaged safetensors file"),
        (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "not a readable ONNX file"),
        (b"\x08\x08", "no VGG-16 or VGG-19 as Keras names them"),
    ],
)
def test_a_file_that_holds_no_network_is_one_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=sentence):
        read_foreign(path)


def test_a_file_with_something_else_than_tensors_by_name_is_told(tmp_path: Path) -> None:
    torch.save([torch.zeros(3)], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="it holds no dictionary of tensors"):
        read_foreign(tmp_path / "list.pth")


def test_a_tensor_of_another_shape_is_a_sentence(vgg16_state: dict[str, Tensor]) -> None:
    state = vgg16_state | {"features.5.weight": torch.zeros(128, 64, 5, 5)}
    with pytest.raises(WeightsError, match=r"features\.5\.weight has shape \(128, 64, 5, 5\)"):
        from_torchvision(state)
