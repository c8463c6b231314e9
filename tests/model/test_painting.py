"""What the model says about memory."""

from dataclasses import replace

import pytest
import torch

from devtools.serving import Clock
from devtools.weights import random_weights
from service.engine.jobs import LoadError
from service.machine.free_memory import RESERVE
from service.model.painting import PaintingModel, load_model
from service.settings.settings import Settings
from service.style.memory import pictures
from service.style.memory import prediction as memory
from service.style.memory.prediction import largest_square
from service.style.network.vgg import CHANNELS, VGG, layer_names
from service.style.options import Options
from service.style.work import Shapes, Work
from tests.style.conftest import slow_down, thin_network

GIB = 2**30
SMALL = Options(size=64, iterations=8)
KEPT = (512, 512)
"""A square picture that comes for SMALL, as the service keeps it."""


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of random weights."""
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    random_weights(path)
    return str(path)


@pytest.fixture(scope="module")
def model() -> PaintingModel:
    weights: dict[str, torch.Tensor] = {}
    incoming = 3
    for name in layer_names("vgg16"):
        outgoing = CHANNELS[int(name[4]) - 1]
        weights |= {f"{name}.weight": torch.zeros(outgoing, incoming, 3, 3)}
        weights |= {f"{name}.bias": torch.zeros(outgoing)}
        incoming = outgoing
    return PaintingModel(VGG("vgg16", weights), "vgg16", "", "", "cpu", "")


@pytest.fixture(scope="module")
def network() -> VGG:
    """One that can be painted with quickly."""
    return thin_network()


def test_without_a_bound_everything_fits(model: PaintingModel) -> None:
    assert model.need(Shapes(KEPT, [KEPT], replace(SMALL, size=8192))).recomputed == 0


def test_what_needs_more_than_the_bound_is_refused(model: PaintingModel) -> None:
    with pytest.raises(memory.DoesNotFitError, match="size 1024 needs"):
        replace(model, memory=300 * 2**20).require_memory(Shapes(KEPT, [KEPT], replace(SMALL, size=1024)))


def test_where_there_is_no_memory_for_any_picture_it_does_not_start(model: PaintingModel) -> None:
    with pytest.raises(
        LoadError, match=r"^There are 1 MiB of memory for a picture, too little for one of 64 px: "
    ):
        replace(model, memory=2**20).warm_up()


@pytest.mark.parametrize("count", [1, 2])
def test_it_learns_what_one_evaluation_costs_however_many_come_at_once(
    model: PaintingModel, network: VGG, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    clock = Clock()
    slow_down(monkeypatch, clock, 0.25)
    monkeypatch.setattr("service.style.transfer.at_once", lambda device, pixels: count)
    model = replace(model, network=network, costs={}, clock=clock)
    assert model.expected_seconds(256) is None
    model.warm_up()
    assert model.costs == {64**2: 0.25, 256**2: 0.25}
    assert model.expected_seconds(256) == 3 * 30 * 0.25  # thirty evaluations at each of three scales


def test_the_pictures_of_each_place_get_the_same_part_of_what_the_painting_leaves(
    backbone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.model.painting.free_for_requests", lambda: 2 * GIB)
    usual = Settings(backbone=backbone, device="cpu")
    assert load_model(usual).room == RESERVE // 5
    assert load_model(usual.model_copy(update={"memory": GIB, "queue_size": 7})).room == GIB // 8
    monkeypatch.setattr("service.model.painting.free_for_requests", lambda: None)
    assert load_model(usual).room is None


def test_where_no_usual_picture_could_wait_it_does_not_start(
    backbone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.model.painting.free_for_requests", lambda: 2 * GIB)
    square = (512, 512)
    most = RESERVE // pictures.held(square, [square], Options(size=256))
    settings = Settings(backbone=backbone, device="cpu", queue_size=most - 1)
    load_model(settings)
    with pytest.raises(LoadError, match=r"those of a usual one take 2 MiB: lower STYLIZE_QUEUE_SIZE\.$"):
        load_model(settings.model_copy(update={"queue_size": most}))


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_what_is_prepared_for_a_gpu_is_pinned(
    model: PaintingModel, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    pinned: list[torch.Tensor] = []

    def pin(copy: torch.Tensor) -> torch.Tensor:
        pinned.append(copy)
        return copy

    monkeypatch.setattr("service.model.painting.pinned", pin)
    photograph, artwork = (torch.zeros(3, size, size, dtype=torch.uint8) for size in (128, 200))
    work = replace(model, device=device).prepared(Work(photograph, [artwork], Options(size=128)))
    sizes = [tuple(copy.shape[1:]) for copy in pinned]
    assert sorted(sizes) == ([(64, 64), (64, 64), (128, 128)] if device == "cuda" else [])
    assert work.copies is not None
    assert work.copies.of(photograph, (128, 128)) is photograph
    assert work.copies.of(artwork, (128, 128)).shape == (3, 128, 128)


@pytest.mark.parametrize("memory", [2**30, 2**40])
def test_the_largest_size_is_that_which_fits_up_to_what_may_be_asked_for(
    backbone: str, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    monkeypatch.setattr("service.model.painting.free_for_requests", lambda: None)  # any picture may wait
    settings = Settings(backbone=backbone, device="cpu", memory=memory, max_size=4096)
    model = load_model(settings)
    fits = largest_square(model.network, memory, 8192)
    assert fits is not None
    assert model.largest_size == min(fits, 4096)
    assert (fits > 4096) == (memory == 2**40)


def test_a_gpu_that_is_lost_is_no_reason_to_fail_a_second_time(
    model: PaintingModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What failed first says what is to be done."""

    def lost() -> None:
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setattr("torch.cuda.empty_cache", lost)
    replace(model, device="cuda").release()
    assert caplog.messages == ["the GPU's memory is not given back: 'CUDA error: unspecified launch failure'"]
