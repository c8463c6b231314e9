"""The whole service on a GPU that is not there (`devtools.gpu`): loaded, warmed up, recorded and asked."""

import copy
import io
from collections.abc import Iterator

import pytest
import torch
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from devtools.gpu import GPU, in_place_of_cuda
from devtools.serving import settings, wait_until
from service.api.app import create_app
from service.api.context import Service, service_of
from service.engine.engine import State
from service.images import decode
from service.model.painting import PaintingModel, load_model
from service.style.network.precision import with_precision
from service.style.network.vgg import VGG
from service.style.optimiser.graphs import Graphs
from service.style.options import Options
from service.style.progress import finish
from service.style.transfer import stylize
from service.weights import LoadedBackbone
from tests.api.paint.test_stylize import Parts, file, post, value
from tests.style.conftest import picture, thin_network

PHOTOGRAPH, ARTWORK = picture(48, 64, seed=1), picture(80, 60, seed=2)


@pytest.fixture(scope="module")
def network() -> VGG:
    return thin_network()


@pytest.fixture(scope="module")
def gpu(network: VGG) -> Iterator[GPU]:
    """Everything but the weights is loaded as it always is."""
    gpu = GPU(total=2**32)
    with pytest.MonkeyPatch.context() as patch:
        in_place_of_cuda(patch, gpu)
        loaded = LoadedBackbone(copy.deepcopy(network), "custom", "random numbers", "0" * 12, "")
        patch.setattr("service.model.painting.load", lambda *_: loaded)
        yield gpu


@pytest.fixture(scope="module")
def app(gpu: GPU) -> Iterator[Flask]:
    chosen = settings(device="cuda", precision="bf16", cuda_graphs=True, max_size=64, threads=1)

    def started_there() -> PaintingModel:
        gpu.mode().__enter__()  # type: ignore[no-untyped-call]  # of this thread, as long as it lives
        return load_model(chosen)

    app = create_app(chosen, started_there)
    engine = service_of(app).engine
    engine.start()
    wait_until(lambda: engine.state is State.READY, 120)
    yield app
    engine.stop()


def painted(client: FlaskClient, **fields: object) -> TestResponse:
    parts: Parts = {name: str(field) for name, field in fields.items()}
    for name, each in (("content", PHOTOGRAPH), ("style", ARTWORK)):
        buffer = io.BytesIO()
        Image.fromarray(each.permute(1, 2, 0).numpy()).save(buffer, "png")
        parts[name] = file(buffer.getvalue())
    return post(client, parts)


def test_it_says_what_it_paints_with(client: FlaskClient) -> None:
    version = client.get("/version").json
    assert version is not None
    assert version["device"] == "cuda"
    assert version["largest_size"] == version["limits"]["max_size"] == 64


def test_its_pictures_are_those_of_a_cpu_in_the_same_precision(client: FlaskClient, network: VGG) -> None:
    answer = painted(client, size=64, strength=0.5)
    assert answer.status_code == 200
    torch.set_num_threads(1)  # as the engine's thread has: more of them add up in another order
    without = Graphs(room=0)  # steps that can be recorded round otherwise than those that cannot
    expected = finish(
        stylize(with_precision(network, "bf16"), PHOTOGRAPH, [ARTWORK], Options(size=64), graphs=without)
    ).image
    assert torch.equal(decode(answer.data).rgb, expected)


def test_the_very_first_request_of_a_usual_shape_is_replayed(client: FlaskClient, gpu: GPU) -> None:
    before = gpu.replayed
    assert painted(client, size=64, seed=7, strength=0.5).status_code == 200
    assert gpu.replayed - before == 30


def test_metrics_say_how_much_of_it_is_taken(client: FlaskClient, service: Service, gpu: GPU) -> None:
    painted(client, size=64, iterations=1)
    for what, size in (("allocated", gpu.allocated), ("peak", gpu.peak), ("total", gpu.total)):
        assert value(service, f"stylize_gpu_memory_{what}_bytes") == size > 0


def test_where_its_memory_is_taken_by_others_one_request_fails_and_recordings_make_room(
    client: FlaskClient, gpu: GPU, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert painted(client, size=64).status_code == 200
    held = gpu.allocated
    with monkeypatch.context() as patch:
        patch.setattr(gpu, "total", held + 2**16)
        answer = painted(client, size=64)
        assert answer.status_code == 503
        assert answer.json is not None
        assert answer.json["type"].endswith("out-of-memory")
    assert gpu.allocated < held, "the recordings are gone"
    for _ in range(2):
        before = gpu.replayed
        assert painted(client, size=64).status_code == 200
    assert gpu.replayed - before >= 30, "they are made anew"
