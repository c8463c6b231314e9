"""The Dockerfile builds what the code is.

Only its text is read here: docs/run/image.md shows how it is built and run.
"""

import http.server
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import click
import pytest

from service import __version__
from service.__main__ import main
from service.settings.settings import PREFIX, Settings, load_settings
from service.weights import BACKBONES

ROOT = Path(__file__).parents[1]


class Step(NamedTuple):
    """One instruction, its continuation lines joined."""

    name: str
    value: str


class Stage(NamedTuple):
    """What begins with a FROM."""

    base: str
    name: str
    steps: list[Step]

    def all(self, name: str) -> list[str]:
        return [step.value for step in self.steps if step.name == name]

    def only(self, name: str) -> str:
        (value,) = self.all(name)
        return value


def _steps(text: str) -> Iterator[Step]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        name, _, value = line.partition(" ")
        yield Step(name, value.strip())


def _parse() -> tuple[list[Step], list[Stage]]:
    before: list[Step] = []
    stages: list[Stage] = []
    for step in _steps((ROOT / "Dockerfile").read_text()):
        if step.name == "FROM":
            base, _, name = step.value.partition(" AS ")
            stages.append(Stage(base, name, []))
        else:
            (stages[-1].steps if stages else before).append(step)
    return before, stages


BEFORE, STAGES = _parse()
NAMED = {stage.name: stage for stage in STAGES}
FINAL = STAGES[-1]
ENV = dict(pair.split("=", 1) for value in FINAL.all("ENV") for pair in shlex.split(value))
DEFAULTS = dict(value.split("=", 1) for value in FINAL.all("ARG") if "=" in value)


def _copies() -> Iterator[tuple[str, str]]:
    """Yield (stage or "", source) of everything that is copied."""
    for stage in STAGES:
        for value in stage.all("COPY"):
            words = shlex.split(value)
            options = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
            for source in [word for word in words if not word.startswith("--")][:-1]:
                yield options.get("from", ""), source


FROM_CONTEXT = [source for stage, source in _copies() if not stage]


def _ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path of the repository out of the build, by the rules of Docker."""
    ignored = False
    ancestry = [path, *(str(parent) for parent in PurePosixPath(path).parents)][:-1]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        wanted = pattern.startswith("!")
        parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]+\])", pattern.removeprefix("!").strip("/"))
        special = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        regex = "".join(
            special.get(part) or (part if part.startswith("[") else re.escape(part)) for part in parts
        )
        if any(re.fullmatch(regex, candidate) for candidate in ancestry):
            ignored = not wanted
    return ignored


def test_every_stage_begins_with_the_base_that_the_builder_names_or_with_an_earlier_stage() -> None:
    assert "BASE=python:3.11-slim-bookworm" in [step.value for step in BEFORE if step.name == "ARG"]
    for number, stage in enumerate(STAGES):
        assert stage.base in {"${BASE}", *(earlier.name for earlier in STAGES[:number])}
    assert FINAL.base == "${BASE}"  # nothing of the build comes along but what is copied


def test_it_runs_as_a_user_by_number_who_is_not_root() -> None:
    user = re.fullmatch(r"(\d+):(\d+)", FINAL.only("USER"))
    assert user is not None  # Kubernetes' runAsNonRoot cannot check a name
    assert int(user[1]) > 0
    assert not [
        step
        for step in FINAL.steps[FINAL.steps.index(Step("USER", user[0])) :]
        if step.name in ("RUN", "COPY")
    ]


def test_signals_reach_the_service_because_no_shell_stands_between() -> None:
    assert json.loads(FINAL.only("ENTRYPOINT")) == ["python", "-m", "service"]
    (command,) = json.loads(FINAL.only("CMD"))
    assert main.get_command(click.Context(main), command) is not None
    assert FINAL.only("STOPSIGNAL") == "SIGTERM"


def test_the_settings_in_it_exist_and_make_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    ours = {name: value for name, value in ENV.items() if name.startswith(PREFIX)}
    for name, value in ours.items():
        monkeypatch.setenv(name, value.replace("${BACKBONE}", DEFAULTS["BACKBONE"]))
    settings = load_settings()  # refuses unknown names and bad values
    assert settings.host == "0.0.0.0"
    assert settings.weights_dir == Path("/weights")
    assert ours.keys() == {"STYLIZE_HOST", "STYLIZE_WEIGHTS_DIR", "STYLIZE_BACKBONE"}


def test_it_serves_the_backbone_that_was_baked_in_and_no_other() -> None:
    assert ENV["STYLIZE_BACKBONE"] == "${BACKBONE}"
    assert DEFAULTS["BACKBONE"] in BACKBONES
    assert f"BACKBONE={DEFAULTS['BACKBONE']}" in NAMED["weights"].all("ARG")


def test_it_exposes_the_ports_of_the_settings() -> None:
    defaults = [str(Settings.model_fields[name].default) for name in ("port", "admin_port")]
    assert FINAL.only("EXPOSE").split() == defaults


@contextmanager
def _admin_port(status: int) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _healthcheck(port: int) -> int:
    options, _, command = FINAL.only("HEALTHCHECK").partition(" CMD ")
    assert "--start-period" in options
    python, *arguments = json.loads(command)
    assert python == "python"
    proxy = "http://127.0.0.1:1"
    environment = {"STYLIZE_ADMIN_PORT": str(port), "http_proxy": proxy, "HTTP_PROXY": proxy}
    run = subprocess.run(
        [sys.executable, *arguments], env=environment, stderr=subprocess.DEVNULL, timeout=30, check=False
    )
    return run.returncode


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_says_what_the_heartbeat_says(status: int, code: int) -> None:
    with _admin_port(status) as port:
        assert _healthcheck(port) == code


def test_the_health_check_fails_where_nothing_listens() -> None:
    with _admin_port(200) as port:
        pass
    assert _healthcheck(port) == 1


def test_the_health_check_knows_the_default_port() -> None:
    assert f"or {Settings.model_fields['admin_port'].default})" in FINAL.only("HEALTHCHECK")


@pytest.mark.parametrize("source", FROM_CONTEXT)
def test_what_is_copied_exists_and_is_part_of_the_build(source: str) -> None:
    assert (ROOT / source).exists()
    assert not _ignored(source)


def test_what_is_copied_from_another_stage_is_copied_from_an_earlier_one() -> None:
    stages = [stage for stage, _ in _copies() if stage]
    assert list(dict.fromkeys(stages[1:])) == ["dependencies", "weights", "code", "compiled"], (
        "what changes least first"
    )
    assert stages[0] == "code", "which the stage compiled compiles"
    assert set(stages) <= NAMED.keys()
    assert list(NAMED).index("code") < list(NAMED).index("compiled")


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".git/config",
        ".venv/bin/python",
        "examples/photos/chelsea.jpg",
        "out/demo.png",
        "requirements/dev.txt",
        "service/__pycache__/app.cpython-311.pyc",
        "tests/conftest.py",
        "weights/vgg16.safetensors",
    ],
)
def test_what_is_not_needed_stays_out_of_the_build(path: str) -> None:
    assert _ignored(path)


@pytest.mark.parametrize(
    "path", ["service/api/app.py", "service/weights/store.py", "service/api/paint/stylize.py"]
)
def test_the_code_is_part_of_the_build(path: str) -> None:
    assert not _ignored(path)


def test_the_weights_stage_has_all_the_code_that_provisioning_needs(tmp_path: Path) -> None:
    for value in NAMED["weights"].all("COPY"):
        *sources, destination = value.split()
        for source in sources:
            target = tmp_path / destination
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, target, dirs_exist_ok=True)
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, target)
    program = re.search(r"python -c '([^']+)'", NAMED["weights"].only("RUN"))
    assert program is not None
    listing = subprocess.run(
        [sys.executable, "-c", program[1], "--list", "--dir", "nowhere"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "vgg19  not provisioned" in listing.stdout


def test_a_build_with_another_torch_takes_everything_else_from_the_lock_file(tmp_path: Path) -> None:
    program = re.search(r"awk '([^']+)' runtime.txt", NAMED["dependencies"].only("RUN"))
    assert program is not None
    lock = (ROOT / "requirements" / "runtime.txt").read_text()
    (tmp_path / "runtime.txt").write_text(lock)
    subprocess.run(["awk", program[1], "runtime.txt"], cwd=tmp_path, check=True)

    def names(text: str) -> set[str]:
        return set(re.findall(r"^([a-z][^=]*)==", text, re.MULTILINE))

    others = (tmp_path / "others.txt").read_text()
    of_torch = (tmp_path / "locked-torch.txt").read_text()
    assert "torch" in names(of_torch)
    wheels_of_torch = re.compile(r"torch|triton|nvidia|cuda")
    assert all(map(wheels_of_torch.match, names(of_torch)))
    assert not any(map(wheels_of_torch.match, names(others)))
    assert sorted((others + of_torch).splitlines()) == sorted(lock.splitlines())


def test_pip_checks_hashes_and_keeps_its_cache_out_of_the_image() -> None:
    (install,) = [value for stage in STAGES for value in stage.all("RUN") if "pip install" in value]
    assert "--mount=type=cache,target=/root/.cache/pip" in install
    assert "pip install --require-hashes -r runtime.txt" in install
    assert "pip install --require-hashes -r others.txt" in install


def test_the_extras_that_settings_ask_for_are_in_it_unless_they_are_left_out(tmp_path: Path) -> None:
    (extras,) = [
        shlex.split(value)[0].partition("=")[2]
        for value in NAMED["dependencies"].all("ARG")
        if value.startswith("EXTRAS=")
    ]
    locked = {path.stem for path in (ROOT / "requirements").glob("*.txt")} - {"runtime", "dev"}
    assert set(extras.split()) == locked == {"heic", "otel"}
    loop = re.search(r"for extra in \$EXTRAS; do .*?; done", NAMED["dependencies"].only("RUN"))
    assert loop is not None
    for given, installed in ((extras, ["heic.txt", "otel.txt"]), ("otel", ["otel.txt"]), ("", [])):
        script = f"pip() {{ echo $*; }}; {loop[0]}"
        run = subprocess.run(
            ["sh", "-euc", script], env={"EXTRAS": given}, capture_output=True, text=True, check=True
        )
        assert run.stdout.splitlines() == [f"install --require-hashes -r {name}" for name in installed]


def test_nothing_has_to_be_written_but_tmp() -> None:
    assert ENV["HOME"] == "/tmp"
    caches = {name: value for name, value in ENV.items() if name.endswith("CACHE_DIR")}
    assert caches.keys() == {"TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "NUMBA_CACHE_DIR"}
    assert all(value.startswith("/tmp/") for value in caches.values())


def test_the_label_says_the_version_of_the_package() -> None:
    assert DEFAULTS["VERSION"] == __version__


def test_build_arguments_in_the_documentation_exist() -> None:
    pages = (ROOT / "Dockerfile").read_text() + (ROOT / "docs/run/image.md").read_text()
    named = set(re.findall(r"--build-arg ([A-Z_]+)", pages))
    declared = {
        value.partition("=")[0]
        for steps in (BEFORE, *(stage.steps for stage in STAGES))
        for name, value in steps
        if name == "ARG"
    }
    assert {"BACKBONE", "WEIGHTS", "TORCH_INDEX"} <= named <= declared
