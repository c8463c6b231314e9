"""Every command in README and docs does what it should: it is run, or parsed by the program that it starts.

What needs more than a clone and a test has is named in NEEDS, and is not tried.
"""

import importlib
import re
import shlex
import shutil
import subprocess
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from click.exceptions import Exit
from markdown_it import MarkdownIt

from benchmarks.__main__ import BENCHMARKS
from devtools.running import Server
from devtools.serving import picture
from examples.figures.command import figures_command
from service.__main__ import main as service

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
KEY = "0123456789abcdef0123456789abcdef"
NEEDS = {
    "docker": "a Docker engine",
    "podman": "Podman",
    "kubectl": "a cluster",
    "helm": "a cluster",
    "pip": "the package index",
}
SHELL = {"export", "kill", "(while", "sed"}
"""What is the shell's own, or a program that every computer has."""

PROGRAMS = {"make", "python", ".venv/bin/python", "curl", *NEEDS, *SHELL}
ASSIGNMENT = re.compile(r"[A-Z][A-Z_0-9]*=")
BEGINS = re.compile(rf"([A-Z][A-Z_0-9]*=\S* )*({'|'.join(map(re.escape, sorted(PROGRAMS)))})( |$)")


PACKAGES = {"examples.video": "examples.video.__main__"}
"""Where packages have what they run."""

NAMED = ("photo-labels.png", "sky-labels.png", "ground-labels.png", "face-black-on-white.png")
FRAMES = ("frame-2.png", "painted-1-moved.png", "trusted-flow.png")


class Command(NamedTuple):
    """A line of a code block of a page, with what it continues in."""

    page: Path
    words: list[str]


def lines(page: Path) -> Iterator[tuple[str, bool]]:
    """Lines of code of a page, and whether they are said to be for a shell: those of blocks, and those of sentences
    that begin like a command of ours."""
    for token in MarkdownIt().parse(page.read_text()):
        if token.type in ("fence", "code_block") and token.info in ("", "sh"):
            for line in token.content.replace("\\\n", " ").splitlines():
                yield line, token.info == "sh"
        for inner in token.children or ():
            if inner.type == "code_inline" and re.match(r"(make|python -m) [a-z]", inner.content):
                yield inner.content, True


def commands() -> Iterator[Command]:
    for page in PAGES:
        for line, shell in lines(page):
            words = shlex.split(line, comments=True) if shell or BEGINS.match(line) else []
            while words and ASSIGNMENT.match(words[0]):
                del words[0]
            if words:
                yield Command(page.relative_to(ROOT), words)


COMMANDS = list(commands())


def of(*programs: str) -> list[pytest.param]:  # type: ignore[valid-type]
    return [
        pytest.param(each.words, id=f"{each.page}: {' '.join(each.words)[:60]}")
        for each in COMMANDS
        if each.words[0] in programs
    ]


def test_each_is_of_a_program_that_is_known_here() -> None:
    assert len(COMMANDS) > 80
    assert {each.words[0] for each in COMMANDS} == PROGRAMS


@pytest.mark.parametrize("words", of("make"))
def test_make_has_the_target_and_the_variables(words: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for word in words[1:]:
        name, assigned, _ = word.partition("=")
        if assigned:
            assert re.search(rf"\$[({{](if )?\(?\$?\(?{name}\b|\$\({name}\)", makefile), name
        else:
            assert re.search(rf"^([a-z -]* )?{name}( [a-z -]*)?:.*##", makefile, re.MULTILINE), name


def parse(command: click.Command, arguments: list[str]) -> None:
    """Have a program read its arguments, and do nothing. Alone, the name of a command stands for all that it does."""
    with suppress(Exit), command.make_context("command", arguments) as context:
        if isinstance(command, click.Group):
            _, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
            assert inner is not None
            with inner.make_context("command", rest, parent=context, resilient_parsing=not rest):
                pass


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the files that the pages name."""
    for name in (
        "photo.jpg",
        "artwork.jpg",
        "sky.jpg",
        "ground.jpg",
        "PHOTO",
        "ARTWORK",
        "ARTWORK...",
        "CLIP",
    ):
        (tmp_path / name).write_bytes(picture(image_format="jpeg"))
    for name in (*NAMED, *FRAMES):
        (tmp_path / name).write_bytes(picture(color="red"))
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("words", of("python", ".venv/bin/python"))
def test_a_program_of_ours_takes_its_arguments(words: list[str]) -> None:
    assert words[1] == "-m"
    module, arguments = words[2], words[3:]
    if module == "pytest":
        assert all(
            (ROOT / argument.partition("::")[0]).exists() for argument in arguments if argument[0] != "-"
        )
    elif module == "service":
        parse(service, arguments)
    elif module == "benchmarks":
        parse(importlib.import_module(f"benchmarks.{BENCHMARKS[arguments[0]][0]}").main, arguments[1:])
    elif module == "examples.figures":
        parse(figures_command, arguments)
    else:
        assert module.startswith("examples.")
        parse(importlib.import_module(PACKAGES.get(module, module)).main, arguments)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server, None, None]:
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(f"reader:{KEY}\n")
    with Server(STYLIZE_STYLES_DIR=ROOT / "examples" / "styles", STYLIZE_API_KEYS_FILE=keys) as server:
        yield server


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("words", of("curl"))
def test_a_request_is_answered_with_what_was_asked_for(words: list[str], server: Server) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl: apt-get install curl")
    here = [
        word.replace("http://127.0.0.1:8080", f"http://127.0.0.1:{server.port}").replace("$KEY", KEY)
        for word in words
    ]
    key = [] if any("Authorization" in word for word in here) else ["-H", f"Authorization: Bearer {KEY}"]
    subprocess.run([*here, *key, "--silent", "--fail-with-body"], check=True, timeout=60, capture_output=True)
