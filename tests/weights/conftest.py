"""Random networks in the layouts of others, a web server that misbehaves to order, and small calibration pictures."""

import hashlib
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import Tensor

from service.style.network.vgg import BLOCKS, CHANNELS, Arch, layer_names
from service.weights.convert import torchvision_indices


def random_state(arch: Arch, seed: int = 0) -> dict[str, Tensor]:
    """A state dictionary under torchvision's names, whose responses neither vanish nor explode (He et al. 2015)."""
    generator = torch.Generator().manual_seed(seed)
    state: dict[str, Tensor] = {}
    incoming = 3
    for name, index in zip(layer_names(arch), torchvision_indices(arch), strict=True):
        outgoing = CHANNELS[int(name[4]) - 1]
        deviation = (2 / (9 * incoming)) ** 0.5
        state[f"features.{index}.weight"] = deviation * torch.randn(
            outgoing, incoming, 3, 3, generator=generator
        )
        state[f"features.{index}.bias"] = 0.1 * torch.randn(outgoing, generator=generator)
        incoming = outgoing
    return state


@pytest.fixture(scope="session")
def vgg19_state() -> dict[str, Tensor]:
    return random_state("vgg19")


@pytest.fixture(scope="session")
def vgg16_state() -> dict[str, Tensor]:
    return random_state("vgg16")


@dataclass(frozen=True)
class Published:
    """A file and its checksum."""

    path: Path
    sha256: str


def _published(path: Path) -> Published:
    return Published(path, hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture(scope="session")
def vgg19_file(vgg19_state: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Published:
    """What torchvision publishes, less the classifier."""
    path = tmp_path_factory.mktemp("published") / "vgg19.pth"
    torch.save(vgg19_state, path)
    return _published(path)


@pytest.fixture(scope="session")
def keras_onnx(vgg16_state: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The same random VGG-16 as Keras and tf2onnx would have written it, to which a classifier was added."""
    initializers = [
        numpy_helper.from_array(torch.ones(4, 2).numpy(), "functional_1/dense_1/Cast/ReadVariableOp:0")
    ]
    indices = iter(torchvision_indices("vgg16"))
    for block, count in enumerate(BLOCKS["vgg16"], start=1):
        for number in range(1, count + 1):
            index = next(indices)
            stem = f"functional_1/block{block}_conv{number}_1"
            initializers += [
                numpy_helper.from_array(
                    vgg16_state[f"features.{index}.weight"].numpy(), f"{stem}/convolution/ReadVariableOp:0"
                ),
                numpy_helper.from_array(vgg16_state[f"features.{index}.bias"].numpy(), f"{stem}/Squeeze:0"),
            ]
    graph = onnx.helper.make_graph([], "vgg16", [], [], initializer=initializers)
    path = tmp_path_factory.mktemp("onnx") / "carried.onnx"
    onnx.save(onnx.helper.make_model(graph), str(path))
    return _published(path)


@pytest.fixture
def wheel_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, dict[str, bytes]], None]:
    """A package index on the disk, the only one that pip sees; the function puts a wheel with these files in it."""
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))

    def add(package: str, files: dict[str, bytes]) -> None:
        info = f"{package}-1.0.dist-info"
        with zipfile.ZipFile(index / f"{package}-1.0-py3-none-any.whl", "w") as wheel:
            for name, data in files.items():
                wheel.writestr(name, data)
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")

    return add


@pytest.fixture
def quick_calibration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calibrate on one small picture: a test about files need not wait for the real ones."""
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr("service.weights.calibration.dead_leaves", lambda: picture)


@dataclass
class Answer:
    """What the server says to every request."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/octet-stream"
    cut_after: int | None = None
    silent: bool = False


@dataclass
class Server:
    """A web server under the test's control."""

    url: str
    answer: Answer = field(default_factory=Answer)
    requests: int = 0


@pytest.fixture
def server() -> Iterator[Server]:
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests += 1
            answer = state.answer
            if answer.silent:
                released.wait(30)
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: answer.cut_after])

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Server(f"http://127.0.0.1:{http.server_port}/vgg19.pth")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        released.set()
        http.shutdown()
        http.server_close()
        thread.join()


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every new file is on a disk without space: Linux' /dev/full, whose writes fail with a real ENOSPC."""
    original = Path.open

    def open_on_full_disk(path: Path, mode: str = "r", *args: object, **kwargs: object) -> object:
        if mode in ("xb", "wb"):
            path.touch()  # a name takes no space
            return open("/dev/full", "wb", buffering=0)  # noqa: PTH123
        return original(path, mode, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", open_on_full_disk)
