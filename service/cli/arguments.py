"""What the commands share: options with the names of the API, pictures from files, the network."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
from torch import Tensor

from service.engine import LoadError
from service.images import ImageError, decode, on_white
from service.intake import OptionsError, StylizeOptions, parse_options
from service.model import PaintingModel, load_model
from service.settings import Settings, SettingsError, load_settings

Command = TypeVar("Command", bound=Callable[..., Any])

PICTURE = click.Path(exists=True, dir_okay=False, path_type=Path)
# There is no server to protect, but pictures are still bombs.
MAX_PIXELS = 200_000_000


def api_options(*names: str) -> Callable[[Command], Command]:
    """Adds options of the API to a command, as texts: `style_layers` becomes --style-layers."""

    def add(command: Command) -> Command:
        for name in reversed(names):
            field = StylizeOptions.model_fields[name]
            command = click.option(
                f"--{name.replace('_', '-')}", name, metavar=name.upper(), help=field.description
            )(command)
        return command

    return add


def parse(given: dict[str, str | None]) -> StylizeOptions:
    """The options that were given on the command line; ends the process where they are wrong."""
    try:
        return parse_options({name: value for name, value in given.items() if value is not None}, text=True)
    except OptionsError as error:
        fail(error.errors[0].message if len(error.errors) == 1 else str(error), code=2)


def read_opaque(path: Path) -> Tensor:
    """A picture from a file, uint8 (3, H, W), on white where it is transparent; ends the process where it is none."""
    try:
        picture = decode(read(path), max_pixels=MAX_PIXELS, heic=settings().heic)
    except ImageError as error:
        fail(f"{path}: {error}")
    return picture.rgb if picture.alpha is None else on_white(picture.rgb, picture.alpha)


def read(path: Path) -> bytes:
    """A file; ends the process where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        fail(f"{path} cannot be read: {error.strerror}.")


def load() -> PaintingModel:
    """The network that the environment's settings ask for; ends the process where it is not there."""
    try:
        return load_model(settings())
    except LoadError as error:
        fail(str(error))


def settings() -> Settings:
    """Those of the environment; ends the process where they are wrong."""
    try:
        return load_settings()
    except SettingsError as error:
        fail(str(error))


def fail(sentence: str, code: int = 1) -> NoReturn:
    """End with one sentence."""
    click.echo(sentence, err=True)
    sys.stdout.flush()
    raise SystemExit(code)


def write_atomically(path: Path, data: bytes) -> None:
    """All of the file or none of it; ends the process where it cannot be written."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(data)
        scratch.replace(path)
    except OSError as error:
        with suppress(OSError):
            scratch.unlink()
        fail(f"{path} cannot be written: {error.strerror}.")
