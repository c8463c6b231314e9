"""What `serve` says to somebody at a terminal, and to a program that reads its output."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from devtools.running import ROOT, environment, free_ports


def serve(tmp_path: Path, stdout: int) -> tuple[subprocess.Popen[bytes], int]:
    """`serve` without weights: it says where it listens, that they are missing, and ends."""
    port, admin_port = free_ports(2)
    settings = environment(STYLIZE_PORT=port, STYLIZE_ADMIN_PORT=admin_port, STYLIZE_WEIGHTS_DIR=tmp_path)
    command = [sys.executable, "-m", "service", "serve"]
    return subprocess.Popen(command, cwd=ROOT, env=settings, stdout=stdout, stderr=stdout), port


def test_on_a_terminal_it_says_where_to_point_the_browser(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process, port = serve(tmp_path, theirs)
    os.close(theirs)
    text = b""
    try:
        while piece := os.read(ours, 4096):
            text += piece
    except OSError:  # Linux's way of saying that nobody has the other end any more
        pass
    os.close(ours)
    process.wait(20)
    lines = text.decode().splitlines()
    assert lines[0] == (
        f"Stylize is starting. Once it says that it is ready, open http://127.0.0.1:{port} in a browser. "
        "Ctrl+C stops it."
    )
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines[2:] if line)
    assert any("CRITICAL: " in line for line in lines)


def test_a_program_gets_json_and_nothing_else(tmp_path: Path) -> None:
    process, _ = serve(tmp_path, subprocess.PIPE)
    output, _ = process.communicate(timeout=60)
    lines = [json.loads(line) for line in output.splitlines()]
    assert any(line["level"] == "critical" for line in lines)
