"""The chart as an OCI archive is what a registry of charts holds."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from scripts.oci import CONFIG, LAYER, archive
from tests.helm.rendering import CHART, helm


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder: Path = tmp_path_factory.mktemp("package")
    run = helm("package", CHART, "-d", folder)
    assert run.returncode == 0, run.stderr
    (path,) = folder.glob("*.tgz")
    return path.read_bytes()


@pytest.fixture(scope="module")
def files(package: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive(package))) as members:
        return {name: members.extractfile(name).read() for name in members.getnames()}  # type: ignore[union-attr]


def _blob(files: dict[str, bytes], descriptor: dict[str, Any]) -> bytes:
    data = files[f"blobs/{descriptor['digest'].replace(':', '/')}"]
    assert descriptor["digest"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert descriptor["size"] == len(data)
    return data


def test_it_leads_from_its_index_to_the_package(files: dict[str, bytes], package: bytes) -> None:
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads(files["index.json"])["manifests"]
    manifest = json.loads(_blob(files, entry))
    assert manifest["config"]["mediaType"] == CONFIG
    assert json.loads(_blob(files, manifest["config"]))["name"] == "stylize"
    (layer,) = manifest["layers"]
    assert layer["mediaType"] == LAYER
    assert _blob(files, layer) == package


def test_the_same_chart_gives_the_same_archive(package: bytes) -> None:
    assert archive(package) == archive(package)
