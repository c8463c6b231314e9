"""The network of the paper: the convolutional part of VGG-16 or VGG-19, average pooling, post-ReLU taps."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from service.style.network.convolution import Winograd, fast, winograd_layers
from service.style.network.padding import REPEAT, ZERO, Padding

Arch = Literal["vgg16", "vgg19"]
Pooling = Literal["average", "max"]

# How many convolutions stand before each of the five poolings (Simonyan & Zisserman 2014, table 1, D and E).
BLOCKS: Mapping[Arch, tuple[int, ...]] = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
CHANNELS = (64, 128, 256, 512, 512)

# The mean of ImageNet's pixels, red, green, blue, 0-255: subtracted from the input by the original networks.
IMAGENET_MEAN = (123.68, 116.779, 103.939)


DEEPEST_WINOGRAD = "conv4_2"
"""The deepest layer that the default options descend to. A transformed kernel takes four times the memory of a plain
one, and those behind it are computed at the end of a scale only."""


def layer_names(arch: Arch) -> tuple[str, ...]:
    """Names of the convolutions from the input on: conv1_1, conv1_2, conv2_1, ... (13 or 16)."""
    return tuple(
        f"conv{block}_{number}"
        for block, count in enumerate(BLOCKS[arch], start=1)
        for number in range(1, count + 1)
    )


class VGG(nn.Module):
    """Frozen VGG features, computed only up to the deepest layer that is asked for.

    The input is RGB in [0, 1], shape (B, 3, H, W); inside, the network sees 255·x - mean, as the original did.
    A tap is the response after its ReLU, which is what the paper calls F. Pooling floors odd sizes.

    Args:
        arch: which of the two networks.
        weights: for each name of `layer_names(arch)`, "NAME.weight" (out, in, 3, 3) and "NAME.bias" (out,),
            for RGB input in the range above.
        mean: what is subtracted from the 0-255 input, for red, green and blue.
        pooling: "average" (the paper's) or "max" (as trained).
        padding: of every convolution. `padding.ZERO` is as trained.

    Raises:
        ValueError: a tensor is missing or has the wrong shape.
    """

    def __init__(
        self,
        arch: Arch,
        weights: Mapping[str, Tensor],
        *,
        mean: tuple[float, float, float] = IMAGENET_MEAN,
        pooling: Pooling = "average",
        padding: Padding = REPEAT,
    ) -> None:
        super().__init__()
        if arch not in BLOCKS:
            raise ValueError(f"unknown network {arch!r}: choose one of {', '.join(BLOCKS)}")
        if pooling not in get_args(Pooling):
            raise ValueError(f"unknown pooling {pooling!r}: choose one of {', '.join(get_args(Pooling))}")
        self.arch: Arch = arch
        self.pooling: Pooling = pooling
        self.padding = padding
        self.layers = layer_names(arch)
        self.mean = mean
        self._winograd: dict[str, Winograd] = {}
        incoming = 3
        for name in self.layers:
            outgoing = CHANNELS[int(name[4]) - 1]
            for part, shape in (("weight", (outgoing, incoming, 3, 3)), ("bias", (outgoing,))):
                tensor = weights.get(f"{name}.{part}")
                if tensor is None:
                    raise ValueError(f"{name}.{part} is missing: these are not the weights of a {arch}")
                if tuple(tensor.shape) != shape:
                    raise ValueError(
                        f"{name}.{part} has shape {tuple(tensor.shape)}, but {arch} has {shape} there"
                    )
            # channels_last is the fastest format for these convolutions on the CPU and the GPU alike.
            fastest = torch.channels_last
            weight = weights[f"{name}.weight"].detach().to(torch.float32, copy=True, memory_format=fastest)
            bias = weights[f"{name}.bias"].detach().to(torch.float32, copy=True)
            # Buffers, not parameters: the network is never trained, and autograd must not spend a third of its
            # time on gradients that nobody reads.
            self.register_buffer(f"{name}_weight", weight)
            self.register_buffer(f"{name}_bias", bias)
            adjoint = weight.flip(2, 3).transpose(0, 1).contiguous(memory_format=fastest)
            self.register_buffer(f"{name}_adjoint", adjoint)
            incoming = outgoing
        self.register_buffer("_mean", torch.tensor(mean).view(1, 3, 1, 1))

    @property
    def device(self) -> torch.device:
        """Where the weights are, and where the input has to be."""
        return self.get_buffer("_mean").device

    @property
    def dtype(self) -> torch.dtype:
        """In which the convolutions compute."""
        return self.get_buffer("conv1_1_weight").dtype

    def with_dtype(self, dtype: torch.dtype) -> "VGG":
        """The same network with convolutions in another dtype; the picture and its mean stay as they are."""
        if dtype == self.dtype:
            return self
        other = self._twin()
        other._winograd = {}
        for name, buffer in self.named_buffers():
            if name != "_mean":
                other.register_buffer(name, buffer.to(dtype))
        return other

    def with_winograd(self) -> "VGG":
        """The same network with the convolutions of `service.style.network.convolution`, where they are faster."""
        if self._winograd or self.dtype != torch.float32 or self.device.type != "cpu":
            return self
        layers = self.layers[: self.layers.index(DEEPEST_WINOGRAD) + 1]
        buffer, other = self.get_buffer, self._twin()
        other._winograd = winograd_layers(
            {
                name: (buffer(f"{name}_weight"), buffer(f"{name}_adjoint"), buffer(f"{name}_bias"))
                for name in layers
            }
        )
        return other

    @property
    def has_winograd(self) -> bool:
        """Whether `with_winograd` found any layer to be faster."""
        return bool(self._winograd)

    def with_pooling(self, pooling: Pooling) -> "VGG":
        """The same network (and the same memory) with another pooling."""
        if pooling == self.pooling:
            return self
        other = self._twin()
        other.pooling = pooling
        return other

    def with_padding(self, padding: Padding) -> "VGG":
        """The same network (and the same memory) with another padding."""
        if padding == self.padding:
            return self
        other = self._twin()
        other.padding = padding
        return other

    def _twin(self) -> "VGG":
        """Another network on the same memory."""
        other = VGG.__new__(VGG)
        nn.Module.__init__(other)
        other.arch, other.layers, other.mean = self.arch, self.layers, self.mean
        other.pooling, other.padding = self.pooling, self.padding
        other._winograd = self._winograd
        for name, buffer in self.named_buffers():
            other.register_buffer(name, buffer)
        return other

    def forward(self, x: Tensor, taps: Iterable[str]) -> dict[str, Tensor]:
        """Responses of the layers `taps` to the picture x.

        Args:
            x: (B, 3, H, W), RGB in [0, 1], or (B, 1, H, W), which stands for three equal channels. H and W must
                leave at least one pixel after the poolings before the deepest tap (16 px for conv5_1).
            taps: names of layers, in any order.

        Returns:
            For each tap its post-ReLU response, (B, N_l, H_l, W_l), in the dtype of x.

        Raises:
            ValueError: a tap is not a known layer of this network.
        """
        wanted = set(taps)
        found: dict[str, Tensor] = {}
        h = self.enter(x)
        for number, layers in enumerate(self.blocks(wanted)):
            if number:
                h = self.pool(h)
            for name in layers:
                h = self.respond(name, h)
                if name in wanted:
                    found[name] = h.to(x.dtype)
        return found

    # Below: the steps of which a forward and a backward pass consist. `service.style.loss.evaluation` takes them.

    def blocks(self, taps: Iterable[str]) -> list[tuple[str, ...]]:
        """The layers up to the deepest of the taps, in blocks with a pooling between each two.

        Raises:
            ValueError: a tap is not a known layer of this network.
        """
        wanted = set(taps)
        if unknown := wanted.difference(self.layers):
            names = ", ".join(sorted(unknown))
            raise ValueError(f"{names} is not a layer of {self.arch}: choose from {', '.join(self.layers)}")
        deepest = max((self.layers.index(name) for name in wanted), default=-1)
        computed = self.layers[: deepest + 1]
        return [tuple(layers) for _, layers in itertools.groupby(computed, lambda name: name[4])]

    def enter(self, x: Tensor) -> Tensor:
        """The picture x, RGB in [0, 1] or grey, as the first layer wants it, in the network's dtype."""
        return (x * 255 - self.get_buffer("_mean")).to(self.dtype, memory_format=torch.channels_last)

    @staticmethod
    def poolings_before(name: str) -> int:
        """How many poolings stand between the picture and this layer."""
        return int(name[4]) - 1

    def leave(self, gradient: Tensor) -> Tensor:
        """Adjoint of `enter`: the gradient with respect to an RGB x, (1, 3, H, W), in the picture's dtype."""
        return gradient.to(self.get_buffer("_mean").dtype) * 255

    def respond(self, name: str, h: Tensor) -> Tensor:
        """The post-ReLU response of a layer to its input. It is written once and never again."""
        if winograd := self.winograd(name, h):
            return winograd.forward(h, self.padding)
        around, padding = (h, 1) if self.padding == ZERO else (self.padding.around(h), 0)
        h = F.conv2d(
            around, self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias"), padding=padding
        )
        return F.relu_(h)  # in place, because nobody needs the response before the ReLU

    def respond_and_pool(self, name: str, h: Tensor) -> tuple[Tensor, Tensor]:
        """As `respond`, and the response after the pooling."""
        if self.pooling == "average" and (winograd := self.winograd(name, h)):
            return winograd.forward_and_average(h, self.padding)
        response = self.respond(name, h)
        return response, self.pool(response)

    def winograd(self, name: str, h: Tensor) -> Winograd | None:
        """What computes a layer sooner than torch does, where an input or a response is h; None: nothing."""
        found = self._winograd.get(name)
        return found if found is not None and found.suits(h) else None

    def winograd_layers(self, names: Iterable[str], height: int, width: int) -> frozenset[str]:
        """Those of the layers that `winograd` computes where a response has this height and width."""
        return frozenset(self._winograd).intersection(names) if fast(height, width) else frozenset()

    def adjoin(self, name: str, gradient: Tensor) -> Tensor:
        """Adjoint of a layer's convolution: from the gradient after it, past the ReLU, to the one before it.

        The adjoint of a 3x3 convolution is a 3x3 convolution with the kernel turned by 180 degrees and its channels
        exchanged, and the forward convolution is the best-tuned kernel there is. What it finds around the picture is
        the gradient of the padding.
        """
        kernel = self.get_buffer(f"{name}_adjoint")
        if self.padding == ZERO:
            return F.conv2d(gradient, kernel, padding=1)
        return self.padding.fold(F.conv2d(gradient, kernel, padding=2))

    def pool(self, h: Tensor) -> Tensor:
        """Two by two positions become one; an odd last row or column is left out."""
        return F.avg_pool2d(h, 2) if self.pooling == "average" else F.max_pool2d(h, 2)

    def unpool(self, gradient: Tensor, response: Tensor) -> Tensor:
        """Adjoint of the pooling that took `response` to the shape of `gradient`."""
        height, width = response.shape[-2:]
        if self.pooling == "average":
            # Like this it stays channels_last, without which the next ReLU and convolution take twice as long.
            spread = F.interpolate(gradient / 4, scale_factor=2, mode="nearest")
            rows, columns = height - spread.shape[-2], width - spread.shape[-1]
            # Pooling floors: an odd last row or column was not seen, and gets no gradient.
            return F.pad(spread, (0, columns, 0, rows)) if rows or columns else spread
        _, indices = F.max_pool2d(response, 2, return_indices=True)
        return F.max_unpool2d(gradient, indices, [2, 2], output_size=[height, width])
