from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from service.style.loss.evaluation import loss_and_gradient
from service.style.network.precision import fastest_dtype, with_precision
from service.style.network.vgg import VGG
from service.style.options import Options
from service.style.transfer import score
from tests.style.linear import LinearTerm

CPU = torch.device("cpu")
CONVOLUTIONS = torch.backends.cudnn.conv  # type: ignore[attr-defined]  # torch makes it at run time


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx2 avx512f avx512_bf16 sse", torch.bfloat16),
        ("fpu amx_bf16 amx_tile", torch.bfloat16),
        ("fpu avx2 avx512f", torch.float32),
        ("", torch.float32),
    ],
)
def test_bfloat16_is_taken_where_the_cpu_has_instructions_for_it(
    tmp_path: Path, flags: str, expected: torch.dtype
) -> None:
    description = tmp_path / "cpuinfo"
    description.write_text(f"processor : 0\nflags\t\t: {flags}\n")
    assert fastest_dtype(CPU, description) == expected


def test_float32_is_taken_where_the_cpu_is_not_described(tmp_path: Path) -> None:
    assert fastest_dtype(CPU, tmp_path / "missing") == torch.float32


def test_bfloat16_measures_the_losses_of_float32_within_one_per_cent(
    network: VGG, photograph: Tensor, artwork: Tensor
) -> None:
    picture = torch.randint(
        0, 256, (3, 48, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(3)
    )
    exact = score(network, photograph, [artwork], picture, Options())
    rough = score(network.with_dtype(torch.bfloat16), photograph, [artwork], picture, Options())
    assert rough.total == pytest.approx(exact.total, rel=0.01)
    assert rough.total != exact.total, "this did not compute in bfloat16"


def test_the_gradient_in_bfloat16_points_where_that_of_float32_does(network: VGG) -> None:
    x = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(4))
    gradients = []
    for net in (network, network.with_dtype(torch.bfloat16)):
        terms = [
            LinearTerm(name, torch.ones_like(h)) for name, h in network(x, ["conv4_2", "conv2_1"]).items()
        ]
        gradients.append(loss_and_gradient(net, x, terms)[1])
        assert gradients[-1].dtype == torch.float32
    cosine = torch.nn.functional.cosine_similarity(gradients[0].flatten(), gradients[1].flatten(), dim=0)
    assert cosine > 0.99


def test_another_dtype_leaves_the_network_alone(network: VGG) -> None:
    assert network.with_dtype(torch.bfloat16).dtype == torch.bfloat16
    assert network.dtype == torch.float32
    assert network.with_dtype(torch.float32) is network


@pytest.fixture
def switches() -> Iterator[None]:
    """Those of torch, as they were."""
    before = CONVOLUTIONS.fp32_precision
    yield
    CONVOLUTIONS.fp32_precision = before


@pytest.mark.usefixtures("switches")
def test_a_precision_can_be_asked_for(network: VGG) -> None:
    assert with_precision(network, "bf16").dtype == torch.bfloat16
    assert with_precision(network, "fp32").dtype == torch.float32
    assert with_precision(network).dtype == fastest_dtype(CPU)


@pytest.mark.usefixtures("switches")
def test_float32_is_not_rounded_unless_it_is_asked_for(network: VGG, monkeypatch: pytest.MonkeyPatch) -> None:
    CONVOLUTIONS.fp32_precision = "tf32"
    with_precision(network, "fp32")
    assert CONVOLUTIONS.fp32_precision == "ieee"
    monkeypatch.setattr("service.style.network.precision._has_tf32", lambda _: True)
    assert with_precision(network, "tf32").dtype == torch.float32
    assert CONVOLUTIONS.fp32_precision == "tf32"
    assert torch.backends.cuda.matmul.fp32_precision != "tf32", "Gram matrices and the optimiser are float32"


@pytest.mark.usefixtures("switches")
def test_tf32_is_refused_where_there_is_none(network: VGG) -> None:
    with pytest.raises(ValueError, match="choose auto, bf16 or fp32"):
        with_precision(network, "tf32")
