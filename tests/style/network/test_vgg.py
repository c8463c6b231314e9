"""Our network is torchvision's, tap by tap, with the paper's pooling."""

from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import Tensor, nn

from service.style.network.padding import REPEAT, ZERO
from service.style.network.vgg import IMAGENET_MEAN, VGG, Arch, layer_names

WeightsOf = Callable[[Arch, int], dict[str, Tensor]]


def torchvision_taps(arch: Arch, weights: dict[str, Tensor], x: Tensor) -> dict[str, Tensor]:
    """Every post-ReLU response of torchvision's own model with these weights, its max pooling replaced or not."""
    model = getattr(torchvision.models, arch)(weights=None).features.eval()
    names = iter(layer_names(arch))
    name = ""
    taps: dict[str, Tensor] = {}
    h = x
    with torch.no_grad():
        for module in model:
            if isinstance(module, nn.Conv2d):
                name = next(names)
                module.weight.copy_(weights[f"{name}.weight"])
                module.bias.copy_(weights[f"{name}.bias"])  # type: ignore[union-attr]
            h = module(h)
            if isinstance(module, nn.ReLU):
                taps[name] = h.clone()  # torchvision's ReLU works in place
    return taps


@pytest.mark.parametrize("arch", ["vgg16", "vgg19"])
def test_every_tap_equals_torchvisions_forward_pass(arch: Arch, weights_of: WeightsOf) -> None:
    weights = weights_of(arch, 3)
    x = torch.rand(1, 3, 48, 33, generator=torch.Generator().manual_seed(0))
    expected = torchvision_taps(arch, weights, x * 255 - torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
    ours = VGG(arch, weights, pooling="max", padding=ZERO)(x, layer_names(arch))
    assert list(ours) == list(expected) == list(layer_names(arch))
    for name, response in ours.items():
        scale = expected[name].abs().max()
        torch.testing.assert_close(response / scale, expected[name] / scale, rtol=1e-4, atol=1e-4, msg=name)


def test_pooling_is_the_average_of_two_by_two_and_floors_odd_sizes(weights_of: WeightsOf) -> None:
    network = VGG("vgg16", weights_of("vgg16", 0))
    x = torch.rand(1, 3, 33, 19)
    taps = network(x, ["conv1_2", "conv2_1"])
    below = taps["conv1_2"]
    pooled = (
        below[..., 0:32:2, 0:18:2]
        + below[..., 1:32:2, 0:18:2]
        + below[..., 0:32:2, 1:18:2]
        + below[..., 1:32:2, 1:18:2]
    ) / 4
    weight, bias = network.get_buffer("conv2_1_weight"), network.get_buffer("conv2_1_bias")
    expected = torch.nn.functional.conv2d(REPEAT.around(pooled), weight, bias).relu()
    torch.testing.assert_close(taps["conv2_1"], expected, rtol=1e-4, atol=1e-3)


def test_taps_are_after_the_relu_and_stay_so(network: VGG) -> None:
    """A tap must not be the buffer that a later in-place operation writes to."""
    x = torch.rand(1, 3, 32, 32)
    alone = {name: network(x, [name])[name] for name in network.layers}
    together = network(x, network.layers)
    for name in network.layers:
        assert together[name].min() == 0, f"{name} has no zeros, or negative values: not after a ReLU"
        assert torch.equal(together[name], alone[name]), f"{name} changed after it was tapped"


def test_only_layers_up_to_the_deepest_tap_are_computed(network: VGG) -> None:
    assert network.blocks(["conv2_1", "conv1_1"]) == [("conv1_1", "conv1_2"), ("conv2_1",)]
    assert network.blocks([]) == []


def test_the_network_is_frozen(network: VGG) -> None:
    assert list(network.parameters()) == []
    assert not any(buffer.requires_grad for buffer in network.buffers())


def test_another_pooling_shares_the_weights(network: VGG) -> None:
    other = network.with_pooling("max")
    assert other.pooling == "max"
    assert network.pooling == "average"
    assert other.get_buffer("conv1_1_weight").data_ptr() == network.get_buffer("conv1_1_weight").data_ptr()


def test_another_padding_shares_the_weights_and_keeps_the_pooling(network: VGG) -> None:
    assert network.padding == REPEAT
    other = network.with_pooling("max").with_padding(ZERO)
    assert other.padding == ZERO
    assert other.pooling == "max"
    assert network.padding == REPEAT
    assert other.get_buffer("conv1_1_weight").data_ptr() == network.get_buffer("conv1_1_weight").data_ptr()


def test_a_flat_picture_has_flat_responses_with_the_border_repeated_and_a_rim_with_zeros(
    network: VGG,
) -> None:
    x = torch.full((1, 3, 32, 48), 0.7)
    for response in network(x, network.layers).values():
        assert (response - response[:, :, :1, :1]).abs().max() <= 1e-4 * response.abs().max()
    rim = network.with_padding(ZERO)(x, ["conv1_1"])["conv1_1"]
    assert (rim - rim[:, :, 8:9, 8:9]).abs().max() > 0.1 * rim.abs().max()


def test_an_unknown_layer_is_named(network: VGG) -> None:
    with pytest.raises(ValueError, match=r"conv9_1 is not a layer of vgg16: choose from conv1_1"):
        network(torch.rand(1, 3, 16, 16), ["conv9_1"])


def test_missing_and_misshapen_weights_are_named(weights_of: WeightsOf) -> None:
    weights = weights_of("vgg16", 0)
    with pytest.raises(ValueError, match=r"conv3_4\.weight is missing: these are not the weights of a vgg19"):
        VGG("vgg19", weights)
    weights["conv2_1.bias"] = torch.zeros(7)
    with pytest.raises(ValueError, match=r"conv2_1\.bias has shape \(7,\), but vgg16 has \(128,\)"):
        VGG("vgg16", weights)
