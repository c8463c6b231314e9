"""Whose pictures are judged: ours with any options, plain Gatys, another checkout, a folder of finished ones."""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from torch import Tensor

from benchmarks.engine import methods
from benchmarks.engine.judge.pairs import SUFFIXES, Pair
from service.images import decode
from service.intake import Bounds, parse_options
from service.style import resample
from service.style.network import with_precision
from service.style.options import Options
from service.weights import LoadedBackbone

LARGEST = 8192
"""Pixels: no option is refused for its size here."""


class Painter(Protocol):
    """Somebody whose pictures are judged.

    Attributes:
        name: of tables and sheets.
        settings: all that its pictures depend on beside the pair, the size and the seed.
        seeded: whether another seed gives another picture.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def settings(self) -> str: ...  # noqa: D102

    @property
    def seeded(self) -> bool: ...  # noqa: D102

    def paint(self, pair: Pair, size: int, seed: int) -> Tensor | None:
        """The picture, uint8 (3, H, W); None: there is none of this pair."""


@dataclass(frozen=True)
class Method:
    """One of `benchmarks.engine.methods`, in this process.

    Attributes:
        name: of tables and sheets.
        method: in METHODS.
        backbone: the network, float32.
        options: of the API, by name: "strength=0.7 pooling=max".
        fast: whether it computes as the service does here, maybe in bfloat16; else in float32, as the field does.
    """

    name: str
    method: str
    backbone: LoadedBackbone
    options: str = ""
    fast: bool = True
    seeded = True

    @cached_property
    def settings(self) -> str:
        """With a checksum of the code, so that no picture of yesterday's stands for today's."""
        code = checksum([Path("service/style"), Path("benchmarks/engine/methods.py")])
        return f"{self.method} {self.fast} {self._asked} {self.backbone.sha256} {code}"

    @cached_property
    def _asked(self) -> Options:
        given: dict[str, str] = {}
        for word in self.options.split():
            option, equals, given[option] = word.partition("=")
            if not equals:
                raise ValueError(f"{word} is not an option with its value: write NAME=VALUE")
        layers = self.backbone.network.layers
        return Bounds.of_device("cpu", layers, max_size=LARGEST).complete(parse_options(given, text=True), 1)

    def paint(self, pair: Pair, size: int, seed: int) -> Tensor | None:
        """Its last step."""
        network = with_precision(self.backbone.network, "auto" if self.fast else "fp32")
        options = replace(self._asked, size=size, seed=seed)
        last = None
        to_paint = methods.Pair(pair.name, *pair.pictures)
        for step in methods.METHODS[self.method](network, to_paint, options, methods.Clock()):
            last = step
        return None if last is None else resample.quantise(last.picture())


@dataclass(frozen=True)
class Checkout:
    """Another version of this project, by its command line.

    Attributes:
        folder: of the checkout; its own virtual environment is used where it has one.
        weights: the directory that all versions take theirs from.
    """

    folder: Path
    weights: Path
    seeded = True

    @property
    def name(self) -> str:
        """The folder's."""
        return self.folder.resolve().name

    @cached_property
    def settings(self) -> str:
        """A checksum of its code."""
        return f"checkout {checksum([self.folder / 'service'])}"

    def paint(self, pair: Pair, size: int, seed: int) -> Tensor | None:
        """What its command writes."""
        own = self.folder.resolve() / ".venv/bin/python"
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out.png"
            command = [
                *(str(own) if own.exists() else sys.executable, "-m", "service", "stylize"),
                *(str(pair.photograph.resolve()), str(pair.artwork.resolve()), "-o", str(out)),
                *("--size", str(size), "--seed", str(seed)),
            ]
            environment = {**os.environ, "STYLIZE_WEIGHTS_DIR": str(self.weights.resolve())}
            done = subprocess.run(
                command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise RuntimeError(f"{' '.join(command)} failed in {self.folder}: {done.stderr.strip()}")
            return decode(out.read_bytes()).rgb


@dataclass(frozen=True)
class Finished:
    """A folder of pictures, PHOTOGRAPH+ARTWORK.png each, of any program."""

    folder: Path
    seeded = False

    @property
    def name(self) -> str:
        """The folder's."""
        return self.folder.resolve().name

    @property
    def settings(self) -> str:
        """Nothing: they are files already."""
        return f"finished {self.folder.resolve()} {checksum([self.folder], tuple(SUFFIXES))}"

    def paint(self, pair: Pair, size: int, seed: int) -> Tensor | None:
        """The one that is there."""
        for path in sorted(self.folder.glob(f"{pair.name}.*")):
            if path.suffix.lower() in SUFFIXES:
                return decode(path.read_bytes()).rgb
        return None


def painter_of(word: str, backbone: LoadedBackbone, weights: Path, evaluations: int) -> Painter:
    """Whom `--against WORD` means: `plain`, `noise`, a checkout, or a folder of pictures.

    Raises:
        ValueError: it is none of them.
    """
    path = Path(word)
    if word == "plain":
        return Method("plain", "plain", backbone, f"iterations={evaluations}", fast=False)
    if word == "noise":
        return Method("noise", "ours", backbone, f"init=noise iterations={evaluations}")
    if (path / "service/__main__.py").is_file():
        return Checkout(path, weights)
    if path.is_dir():
        return Finished(path)
    raise ValueError(f"{word} is not a folder: give plain, noise, a checkout, or a folder of pictures")


def checksum(paths: Iterable[Path], suffixes: tuple[str, ...] = (".py",)) -> str:
    """The first 12 digits of the SHA-256 of these files, and of all in these folders with such a suffix."""
    found = hashlib.sha256()
    for path in paths:
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in suffixes)
        for file in files:
            found.update(str(file.relative_to(path)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:12]
