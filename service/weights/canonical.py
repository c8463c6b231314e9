"""Our weights file: safetensors, calibrated tensors in our layout, and where they came from in the header."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from service.style.network import BLOCKS, Arch, layer_names
from service.weights.backbones import BACKBONES, CUSTOM
from service.weights.convert import Weights
from service.weights.errors import WeightsError
from service.weights.files import write_atomically

# Another layout or another reference scale needs another number: files of both must not be mixed up.
FORMAT = "stylize-vgg/1"
_AGAIN = "make it anew with `python -m service weights --force`"


@dataclass(frozen=True)
class Canonical:
    """What one of our files holds.

    Attributes:
        name: "vgg16", "vgg19" or "custom".
        weights: calibrated, in our layout.
        source: where the weights came from.
        source_sha256: checksum of the file that they came in.
        credit: who trained them, and the licence.
        factors: for each layer the factor that calibration applied to its responses.
    """

    name: str
    weights: Weights
    source: str
    source_sha256: str
    credit: str
    factors: Mapping[str, float]


def write(path: Path, content: Canonical) -> None:
    """Write the file; readers see the old one or the whole new one.

    Raises:
        OSError: the disk is full or cannot be written; nothing is left behind.
    """
    tensors = dict(content.weights.tensors)
    header = {
        "format": FORMAT,
        "name": content.name,
        "arch": content.weights.arch,
        "source": content.source,
        "source_sha256": content.source_sha256,
        "credit": content.credit,
        "mean": json.dumps(content.weights.mean),
        "calibrated": json.dumps(content.factors),
        "tensors_sha256": _digest(tensors),
    }
    write_atomically(path, _sorted_header(save(tensors, metadata=header)))


def read(path: Path, data: bytes | None = None) -> Canonical:
    """Read and check one of our files.

    Args:
        path: the file; in messages only, if `data` is given.
        data: the file's bytes.

    Raises:
        WeightsError: it is not ours, of another format version, cut short, or damaged.
        OSError: it cannot be read.
    """
    data = path.read_bytes() if data is None else data
    header = metadata(data)
    if header.get("format") != FORMAT:
        found = header.get("format", "unknown")
        raise WeightsError(f"{path} is in format {found}, but this version reads {FORMAT}: {_AGAIN}")
    try:
        arch = next(arch for arch in BLOCKS if arch == header["arch"])
        name = next(name for name in (*BACKBONES, CUSTOM) if name == header["name"])
        tensors = load(data)
        red, green, blue = json.loads(header["mean"])
        content = Canonical(
            name=name,
            weights=Weights(arch, {key: tensors[key] for key in _keys(arch)}, (red, green, blue)),
            source=header["source"],
            source_sha256=header["source_sha256"],
            credit=header["credit"],
            factors=json.loads(header["calibrated"]),
        )
        intact = _digest(content.weights.tensors) == header["tensors_sha256"]
    except (SafetensorError, KeyError, ValueError, TypeError, StopIteration) as error:
        raise WeightsError(f"{path} is damaged ({type(error).__name__} {error}): {_AGAIN}") from error
    if not intact:
        raise WeightsError(f"{path} is damaged (wrong checksum): {_AGAIN}")
    return content


def metadata(data: bytes) -> dict[str, str]:
    """Read the text entries in a safetensors header; none if there are none, or if it is no such file.

    The file begins with the length of its header (8 bytes, little endian), a JSON object.
    """
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + length])
        entries = header.get("__metadata__", {})
        return {str(key): str(value) for key, value in entries.items()}
    except (ValueError, AttributeError):
        return {}


def _sorted_header(data: bytes) -> bytes:
    """Put the header's entries in order, which safetensors does not: equal content then means equal files."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # the tensors behind it stay aligned, as the format asks
    return len(header).to_bytes(8, "little") + header + data[end:]


def _keys(arch: Arch) -> list[str]:
    return [f"{name}.{part}" for name in layer_names(arch) for part in ("weight", "bias")]


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over the tensors in the order of their names: safetensors itself has no checksum."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().numpy().data)
    return digest.hexdigest()
