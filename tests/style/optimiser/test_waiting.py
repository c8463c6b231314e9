"""Nothing in a step of the optimiser waits for the device, and several of them are reported at once.

No GPU is needed: fake tensors have a device and no numbers, so whoever wants to read one fails, and so does whoever
mixes tensors of two devices.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from service.style.loss.losses import gram
from service.style.loss.objective import Objective
from service.style.loss.terms import ContentTerm, StyleTerm, Term
from service.style.network.vgg import VGG, Arch
from service.style.optimiser.canvas import Canvas
from service.style.optimiser.lbfgs import LBFGS

GPU = torch.device("cuda")
HEIGHT, WIDTH = 34, 48
STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1")


class Crossings(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes every operation that takes tensors from one device to another, or numbers from a tensor of the CPU.

    Those become a part of a recording, whatever the tensor holds when it is replayed.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        leaves = [each for each in tree_leaves((args, kwargs, result)) if isinstance(each, Tensor)]
        if len({each.device for each in leaves}) > 1:
            self.seen.append(func.name())
        return result


@contextmanager
def fake_gpu() -> Iterator[Crossings]:
    with FakeTensorMode(), Crossings() as crossings:
        yield crossings


def network_on_gpu(
    weights_of: Callable[[Arch, int], dict[str, Tensor]], dtype: torch.dtype, pooling: str
) -> VGG:
    """Inside of `fake_gpu`."""
    weights = {name: torch.empty(tensor.shape) for name, tensor in weights_of("vgg16", 0).items()}
    network = VGG("vgg16", weights).to(GPU).with_dtype(dtype)
    return network.with_pooling("max" if pooling == "max" else "average")


def objective_on_gpu(
    network: VGG, x: Tensor, monkeypatch: pytest.MonkeyPatch, *, guided: bool, tv_weight: float = 0.0
) -> Objective:
    """Which terms are worth descending is read once for a size, beforehand: here all of them are."""
    monkeypatch.setattr("service.style.loss.objective._worth_descending", list)
    responses = network(x, (*STYLE_LAYERS, "conv4_2"))
    terms: list[Term] = [ContentTerm("conv4_2", 1e-3, responses["conv4_2"])]
    for name in STYLE_LAYERS:
        guide = torch.rand(responses[name].shape[-2:], device=GPU) if guided else None
        terms.append(StyleTerm(name, 0.2, gram(responses[name]), guide, region=int(guided)))
    return Objective(network, terms, tv_weight=tv_weight)


def test_a_fake_gpu_notices_who_waits_for_it() -> None:
    with fake_gpu() as crossings:
        there = torch.ones(3, device=GPU)
        with pytest.raises(DataDependentOutputException):
            there.sum().item()
        there.cpu()
        torch.ones(2).to(GPU)
        torch.where(there > 0, there, torch.tensor(2.0))
        there * 2.0
    assert crossings.seen == ["aten::_to_copy", "aten::_to_copy", "aten::where.self"]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("guided", [False, True])
@pytest.mark.parametrize("pooling", ["average", "max"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_an_evaluation_waits_for_nothing(
    weights_of: Callable[[Arch, int], dict[str, Tensor]],
    monkeypatch: pytest.MonkeyPatch,
    dtype: torch.dtype,
    pooling: str,
    guided: bool,
    channels: int,
) -> None:
    with fake_gpu() as crossings:
        network = network_on_gpu(weights_of, dtype, pooling)
        x = torch.rand(1, channels, HEIGHT, WIDTH, device=GPU)
        objective = objective_on_gpu(network, x, monkeypatch, guided=guided, tv_weight=0.1)
        crossings.seen.clear()
        loss, gradient = objective.loss_and_gradient(x)
    assert loss.device.type == gradient.device.type == "cuda"
    assert gradient.shape == x.shape
    assert crossings.seen == []


@pytest.mark.parametrize("painted", ["all", "a part"])
def test_the_coordinates_of_a_picture_wait_for_nothing(painted: str) -> None:
    with fake_gpu() as crossings:
        start = torch.rand(1, 3, HEIGHT, WIDTH, device=GPU)
        free = torch.rand(1, 1, HEIGHT, WIDTH, device=GPU) if painted == "a part" else None
        canvas = Canvas(start, smooth=True, low=start * 0, high=start * 0 + 1, free=free)
        crossings.seen.clear()
        x = canvas.paint(canvas.origin())
        assert canvas.pullback(x, x).device.type == "cuda"
    assert crossings.seen == []


class Reads(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes every operation that reads numbers from tensors."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if any(word in func.name() for word in ("_local_scalar_dense", "is_nonzero", "nonzero", "equal")):
            self.seen.append(func.name())
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("recordable", [False, True])
def test_a_step_of_the_optimiser_waits_for_nothing(recordable: bool) -> None:
    """Nor does it send anything: what cannot be recorded as a CUDA graph is either of the two."""
    with fake_gpu() as crossings:
        start = torch.rand(1, 3, 8, 8, device=GPU)
        optimiser = LBFGS(lambda point: (point.sum(), point), start, history=3, recordable=recordable)
        for _ in range(9):  # until the history is full, and the oldest pairs are replaced
            optimiser.advance()
        report = optimiser.report()
    assert crossings.seen == []
    assert report.device.type == optimiser.point.device.type == "cuda"


@pytest.mark.parametrize("evaluations", [1, 10])
def test_steps_read_once_however_many_evaluations_they_make(
    monkeypatch: pytest.MonkeyPatch, evaluations: int
) -> None:
    read: list[torch.Size] = []

    def reports(numbers: Tensor) -> list[list[float]]:
        read.append(numbers.shape)
        return [[100.0, 0.0]] * evaluations

    monkeypatch.setattr(FakeTensor, "tolist", reports)
    with fake_gpu() as crossings:
        start = torch.rand(1, 3, 8, 8, device=GPU)
        optimiser = LBFGS(lambda point: (point.sum(), point), start, history=3)
        for _ in range(3):
            optimiser.step(evaluations)
    assert read == [torch.Size([evaluations, 2])] * 3
    assert crossings.seen == []


def test_rejected_steps_and_lost_curvature_are_not_read_either() -> None:
    """Without a GPU, but with numbers."""

    def function(point: Tensor) -> tuple[Tensor, Tensor]:
        return (point**4 - point).sum(), 4 * point**3 - 1

    optimiser = LBFGS(function, torch.linspace(-2, 2, 7), first_step=3.0, history=4)
    with Reads() as reads:
        losses = optimiser.step(60)
    assert len(set(losses)) < len(losses), "no step was rejected: this shows little"
    assert reads.seen == []
    with Reads() as reads:
        optimiser.point.sum().item()
    assert reads.seen == ["aten::_local_scalar_dense"], "this test notices no reading at all"
