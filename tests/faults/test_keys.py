"""Keys at a real server: taken away while it runs, and in no log whatever is sent."""

import subprocess
import sys
from pathlib import Path

import requests

from devtools.running import ROOT, Server, environment, read_answer
from devtools.serving import picture, wait_until

OLD = "old0123456789abcdef0123456789abcdef"
NEW = "new0123456789abcdef0123456789abcdef"


def post(server: Server, key: str) -> int:
    files = {"content": ("photo.png", picture()), "style": ("art.png", picture())}
    url = f"http://127.0.0.1:{server.port}/stylize"
    return requests.post(url, files=files, headers={"Authorization": f"Bearer {key}"}, timeout=30).status_code


def test_keys_change_hands_while_it_runs_and_are_never_in_the_log(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"phone:{OLD}\n")
    with Server(STYLIZE_API_KEYS_FILE=path, STYLIZE_LOG_LEVEL="debug") as server:
        assert server.post().status_code == 401
        assert (post(server, OLD), post(server, NEW)) == (200, 401)
        path.write_text(f"phone:{OLD}\nphone:{NEW}\n")
        wait_until(lambda: post(server, NEW) == 200)
        assert post(server, OLD) == 200
        path.write_text(f"phone:{NEW}\n{OLD}\n")  # a mistake: the key without its name
        wait_until(lambda: server.metric("stylize_api_keys_stale") == 1)
        assert post(server, OLD) == 200
        assert "stay valid" in server.output()
        path.write_text(f"phone:{NEW}\n")
        wait_until(lambda: post(server, OLD) == 401)
        assert post(server, NEW) == 200
        assert server.metric("stylize_api_keys_stale") == 0
        # Heads that gunicorn cannot read, and quotes in its messages.
        for head in (
            f"Authorization Bearer {NEW}\r\n\r\n",
            f"Authorization: Bearer\r\n {NEW}\r\n\r\n",
            f"Authorization : Bearer {NEW}\r\n\r\n",
            f"Authorization: Bearer {NEW}\0\r\n\r\n",
        ):
            with server.connect() as connection:
                connection.sendall(b"POST /stylize HTTP/1.1\r\nHost: test\r\n" + head.encode())
                assert read_answer(connection)[0] in (400, 401)
        with server.connect() as connection:  # and one that ends in the middle
            connection.sendall(f"POST /stylize HTTP/1.1\r\nAuthorization: Bearer {NEW}\r\nHo".encode())
        wait_until(lambda: "before the end of its head" in server.output())
        painted = [line for line in server.requests_logged() if line["outcome"] == "ok"]
        assert {line["key_name"] for line in painted} == {"phone"}
        assert OLD not in server.output()
        assert NEW not in server.output()


def test_a_file_with_mistakes_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("phone:short\n")
    run = subprocess.run(
        [sys.executable, "-m", "service", "serve"],
        cwd=ROOT,
        env=environment(STYLIZE_API_KEYS_FILE=path),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == (
        f"STYLIZE_API_KEYS_FILE: Line 1 of {path}: the key of phone has 5 characters: give at least 32, as from "
        "`openssl rand -hex 32`.\n"
    )
