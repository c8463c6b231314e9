"""The command line and HTTP take the same stages: the same request gives the same bytes."""

from collections.abc import Generator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from devtools.serving import settings, wait_until
from service.__main__ import main
from service.api import create_app, service_of
from service.engine import State
from service.model import PaintingModel, load_model

OPTIONS = {"size": "48", "iterations": "3", "seed": "5"}


@pytest.fixture(scope="module")
def model(vgg16_dir: Path) -> PaintingModel:
    return load_model(settings(weights_dir=vgg16_dir, backbone="vgg16", device="cpu", threads=1))


@pytest.fixture(scope="module")
def client(model: PaintingModel) -> Generator[FlaskClient, None, None]:
    def load() -> PaintingModel:
        torch.set_num_threads(1)  # of the engine's thread, as `load_model` does
        return model

    app = create_app(settings(), load)
    service = service_of(app)
    service.engine.start()
    wait_until(lambda: service.engine.state is State.READY, 60)
    yield app.test_client()
    service.stop()


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A picture whose every pixel matters, so that another way of resizing it would show."""
    generator = np.random.default_rng(width + height)
    coarse = generator.integers(0, 256, (height // 8 + 1, width // 8 + 1, len(mode)), np.uint8)
    return Image.fromarray(coarse.repeat(8, 0).repeat(8, 1)[:height, :width].copy())


def halves(width: int, height: int) -> Image.Image:
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (0, 0, width // 2, height))
    return image


PHOTOGRAPHS = {
    "256 px": (noise(256, 192), "png"),
    "512 px": (noise(512, 384), "png"),
    "3000 px, decoded at less": (noise(3000, 2000), "jpeg"),
    "512 px with alpha": (noise(512, 384, "RGBA"), "png"),
}


@pytest.mark.weights
@pytest.mark.parametrize(
    "extra",
    ["nothing else", "masks", "a picture to start from", "for print", "an anchor and a mask of strengths"],
)
@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_http_and_the_command_line_give_the_same_bytes(
    client: FlaskClient,
    model: PaintingModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    photograph: str,
    extra: str,
) -> None:
    image, image_format = PHOTOGRAPHS[photograph]
    width, height = image.size
    pictures = {"content": (image, image_format), "style": (noise(300, 200), "jpeg")}
    if extra == "masks":
        pictures |= {"content_mask": (halves(width, height), "png"), "style_mask": (halves(300, 200), "png")}
    elif extra == "a picture to start from":
        pictures |= {"init_image": (noise(width // 2, height // 2), "png")}
    elif extra == "an anchor and a mask of strengths":
        pictures |= {"anchor_image": (noise(width, height, "RGBA"), "png")}
        pictures |= {
            name: (noise(width // 2, height // 2), "jpeg") for name in ("anchor_mask", "strength_mask")
        }
    options = OPTIONS | ({"depth": "16", "dpi": "240", "metadata": "none"} if extra == "for print" else {})
    paths = {}
    for name, (picture, suffix) in pictures.items():
        paths[name] = tmp_path / f"{name}.{suffix}"
        picture.save(paths[name])

    files = {name: FileStorage(BytesIO(path.read_bytes()), path.name) for name, path in paths.items()}
    boundary, body = encode_multipart(
        options | files
    )  # the client itself would leave a large body's file open
    answer = client.post("/stylize", data=body, content_type=f"multipart/form-data; boundary={boundary}")
    assert answer.status_code == 200, answer.data

    monkeypatch.setattr("service.cli.arguments.load_model", lambda _: model)
    arguments = [str(paths.pop("content")), str(paths.pop("style")), "-o", str(tmp_path / "out.png")]
    for name, value in (options | paths).items():
        arguments += [f"--{name.replace('_', '-')}", str(value)]
    said = CliRunner().invoke(main, ["stylize", *arguments])
    assert said.exit_code == 0, said.output
    assert (tmp_path / "out.png").read_bytes() == answer.data
