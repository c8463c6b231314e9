import json
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from devtools.running import ROOT
from devtools.serving import FakeModel, picture
from service.__main__ import main
from service.engine.jobs import LoadError
from service.intake.contract import StylizeOptions
from service.settings.settings import Settings


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    model = FakeModel()
    monkeypatch.setattr("service.cli.arguments.load_model", lambda _: model)
    return model


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(picture())
    return path


@pytest.fixture
def art(tmp_path: Path) -> Path:
    path = tmp_path / "art.jpg"
    path.write_bytes(picture(color="orange", image_format="jpeg"))
    return path


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize(
    "name", ["out.png", "out.jpg", "out.JPEG", "out.webp", "out.avif", "new/folder/out.png"]
)
def test_stylize_writes_the_picture_in_the_format_of_its_name(
    model: FakeModel, photo: Path, art: Path, tmp_path: Path, name: str
) -> None:
    result = run("stylize", photo, art, "-o", tmp_path / name, "--size", 64, "--seed", 7)
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / name) as image:
        assert image.size == (64, 48)
        suffix = name.rpartition(".")[2].lower()
        assert image.format == {"jpg": "JPEG"}.get(suffix, suffix.upper())
    assert "seed 7" in result.output
    assert "64x48 px, 3 evaluations" in result.output
    assert model.note in result.output


def test_stylize_says_what_memory_it_needs_and_does_not_begin_where_there_is_less(
    model: FakeModel, photo: Path, art: Path, tmp_path: Path
) -> None:
    result = run("stylize", photo, art, "-o", tmp_path / "out.png", "--size", 2048)
    assert result.exit_code == 0, result.output
    assert "needs 48 MiB of memory\n" in result.output
    model.memory = 2**20
    result = run("stylize", photo, art, "-o", tmp_path / "large.png", "--size", 2048)
    assert result.exit_code == 1
    assert "Size 2048 needs more than 1048576 bytes: ask for less." in result.output
    assert len(model.painted) == 1
    assert not (tmp_path / "large.png").exists()


def test_stylize_takes_several_artworks_and_the_options_of_the_api(
    model: FakeModel, photo: Path, art: Path, tmp_path: Path
) -> None:
    arguments = ["--style-weights", "1,3", "--style-layers", "conv1_1", "--init", "noise", "--pooling", "max"]
    assert run("stylize", photo, art, art, "-o", tmp_path / "out.png", *arguments).exit_code == 0
    work = model.painted[0]
    assert len(work.styles) == 2
    assert work.options.style_blend == (1, 3)
    assert work.options.style_layers == {"conv1_1": 1}
    assert (work.options.init, work.options.pooling) == ("noise", "max")
    assert work.options.time_limit is None


def test_stylize_takes_masks_and_a_picture_to_start_from(
    model: FakeModel, photo: Path, art: Path, tmp_path: Path
) -> None:
    mask = tmp_path / "mask.png"
    image = Image.new("RGB", (40, 30), "red")
    image.paste("black", (0, 0, 20, 30))
    image.save(mask)
    arguments = ["--content-mask", mask, "--style-mask", mask, "--style-mask", mask, "--init-image", art]
    result = run("stylize", photo, art, art, "-o", tmp_path / "out.png", *arguments)
    assert result.exit_code == 0, result.output
    work = model.painted[0]
    assert work.masks is not None
    assert work.masks.picture[0].tolist() == [0] * 20 + [1] * 20
    assert work.masks.artworks is not None
    assert len(work.masks.artworks) == 2
    assert work.options.init == "image"
    assert work.start is not None
    assert work.start[:, 0, 0].tolist() == [255, 165, 0]


def test_stylize_has_every_option_of_the_api_but_the_format_which_the_name_says() -> None:
    text = run("stylize", "--help").output
    for name in StylizeOptions.model_fields:
        assert (f"--{name.replace('_', '-')} " in text) == (name != "format")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (
            ["PHOTO", "ART", "-o", "out.png", "--strength", "7"],
            2,
            'strength is "7": give a number from 0 to 1.',
        ),
        (
            ["PHOTO", "ART", "-o", "out.gif"],
            2,
            "out.gif has no suffix of a picture: end it with one of .jpg, ",
        ),
        (
            ["PHOTO", "ART", "-o", "out.png", "--style-layers", "conv9_9"],
            2,
            "is not a known layer of this network",
        ),
        (
            ["PHOTO", "ART", "-o", "out.png", "--style-weights", "1,2"],
            2,
            "style_weights has 2 numbers: give 1",
        ),
        (
            ["TEXT", "ART", "-o", "out.png"],
            1,
            "the file is not a picture that the service can read: send JPEG",
        ),
        (["PHOTO", "ART"], 2, "Missing option '-o'"),
        (["PHOTO", "-o", "out.png"], 2, "Missing argument 'ARTWORKS...'"),
        (["nothing.jpg", "ART", "-o", "out.png"], 2, "File 'nothing.jpg' does not exist"),
        (
            ["NARROW", "ART", "-o", "out.png", "--size", "64"],
            1,
            "ask for a larger size or crop it.",
        ),
        (["PHOTO", "ART", "-o", "PHOTO/out.png"], 1, "cannot be written: "),
        (["PHOTO", "ART", "-o", "out.png", "--style-mask", "PHOTO"], 2, "send both, or neither."),
        (["PHOTO", "ART", "-o", "out.png", "--content-mask", "NARROW"], 2, "content_mask has 300x20 px and "),
        (["PHOTO", "ART", "-o", "out.png", "--init-image", "NARROW"], 2, "init_image has 300x20 px and "),
        (
            ["PHOTO", "ART", "-o", "out.png", "--init", "image"],
            2,
            "init is image, but init_image is missing",
        ),
    ],
)
def test_stylize_says_in_one_sentence_what_is_wrong(
    model: FakeModel,
    photo: Path,
    art: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "narrow.png").write_bytes(picture(300, 20))
    names = {
        "PHOTO": photo,
        "ART": art,
        "TEXT": "text.jpg",
        "NARROW": "narrow.png",
        "PHOTO/out.png": photo / "out.png",
    }
    result = run("stylize", *(names.get(argument, argument) for argument in arguments))
    assert result.exit_code == code, result.output
    assert sentence in result.output
    assert "Traceback" not in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "art.jpg",
        "narrow.png",
        "photo.png",
        "text.jpg",
    ]


def test_a_picture_that_was_there_survives_a_failure(
    model: FakeModel, photo: Path, art: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    out.write_bytes(b"precious")
    assert run("stylize", photo, art, "-o", out, "--style-layers", "conv9_9").exit_code == 2
    assert out.read_bytes() == b"precious"


def test_missing_weights_are_one_sentence(
    photo: Path, art: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_: Settings) -> FakeModel:
        raise LoadError("The weights are missing: run this.")

    monkeypatch.setattr("service.cli.arguments.load_model", load)
    result = run("stylize", photo, art, "-o", tmp_path / "out.png")
    assert (result.exit_code, result.output) == (1, "The weights are missing: run this.\n")


def test_the_help_of_serve_names_every_setting_with_its_meaning() -> None:
    text = " ".join(run("serve", "--help").output.split())
    for name, field in Settings.model_fields.items():
        assert field.description
        assert f"STYLIZE_{name.upper()} {field.description}" in text
    assert "the public port [8080]" in text


def test_help_is_quick_and_names_the_commands() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from service.__main__ import main;"
        "print(CliRunner().invoke(main, ['--help']).output); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    for name in ("serve", "stylize", "score", "weights"):
        assert f"\n  {name} " in done.stdout


def test_an_unknown_command_is_an_error() -> None:
    result = run("paint")
    assert result.exit_code == 2
    assert "No such command 'paint'" in result.output


@pytest.fixture
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> Generator[None, None, None]:
    """Two threads of this process would spin for each other beside a busy neighbour."""
    threads = torch.get_num_threads()
    monkeypatch.setenv("STYLIZE_THREADS", "1")
    yield
    torch.set_num_threads(threads)


@pytest.mark.weights
@pytest.mark.usefixtures("_one_thread")
@pytest.mark.parametrize("options", [[], ["--color", "content-luminance", "--tv-weight", "0.1"]])
def test_stylize_and_score_agree_on_the_losses(
    vgg16_dir: Path,
    photo: Path,
    art: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
) -> None:
    monkeypatch.setenv("STYLIZE_WEIGHTS_DIR", str(vgg16_dir))
    monkeypatch.setenv("STYLIZE_BACKBONE", "vgg16")
    monkeypatch.setenv("STYLIZE_DEVICE", "cpu")
    Image.effect_noise((60, 48), 90).convert("RGB").save(art)
    out = tmp_path / "out.png"
    said = run("stylize", photo, art, "-o", out, "--size", 48, "--iterations", 4, *options)
    assert said.exit_code == 0, said.output
    losses = json.loads(run("score", photo, art, out, "--json", *options).output)
    assert losses["total"] == pytest.approx(losses["content"] + losses["style"] + losses["variation"])
    assert (losses["variation"] > 0) == bool(options)
    assert f"loss {losses['total']:.4g}" in said.output
    rows = dict(line.split() for line in run("score", photo, art, out, *options).output.splitlines())
    assert float(rows["total"]) == pytest.approx(losses["total"], rel=1e-4)
    assert set(rows) == {"content", "style", "variation", "total", *losses["layers"]}
