import hashlib
import socket
from pathlib import Path
from typing import Any

import pytest

from service.weights.download import download
from service.weights.errors import WeightsError

BODY = bytes(range(256)) * 8192  # 2 MB: two reads
SHA256 = hashlib.sha256(BODY).hexdigest()


def test_what_the_server_has_arrives(server: Any, tmp_path: Path) -> None:
    server.answer.body = BODY
    download(server.url, tmp_path / "file", sha256=SHA256)
    assert (tmp_path / "file").read_bytes() == BODY


def test_the_first_digits_of_a_checksum_are_not_enough(server: Any, tmp_path: Path) -> None:
    server.answer.body = BODY
    with pytest.raises(WeightsError, match="wrong checksum"):  # a file with the same eight is made in hours
        download(server.url, tmp_path / "file", sha256=SHA256[:8])


def test_another_file_in_its_place_is_told_by_its_checksum(server: Any, tmp_path: Path) -> None:
    server.answer.body = BODY[:-1] + b"!"
    with pytest.raises(WeightsError, match="wrong checksum"):
        download(server.url, tmp_path / "file", sha256=SHA256)


def test_a_connection_cut_before_the_end_is_told_from_a_wrong_file(server: Any, tmp_path: Path) -> None:
    server.answer.body, server.answer.cut_after = BODY, 1_500_000
    with pytest.raises(WeightsError, match="cut off after 1,500,000 of 2,097,152 bytes: try again"):
        download(server.url, tmp_path / "file", sha256=SHA256)


def test_a_web_page_in_place_of_the_file_is_recognised(server: Any, tmp_path: Path) -> None:
    server.answer.body, server.answer.content_type = b"<html>Please log in</html>", "text/html; charset=utf-8"
    with pytest.raises(WeightsError, match="answered with a web page in place of the file"):
        download(server.url, tmp_path / "file", sha256=SHA256)


@pytest.mark.parametrize(("status", "reason"), [(404, "Not Found"), (500, "Internal Server Error")])
def test_an_error_status_is_told(server: Any, tmp_path: Path, status: int, reason: str) -> None:
    server.answer.status = status
    with pytest.raises(WeightsError, match=f"answered {status} {reason}"):
        download(server.url, tmp_path / "file", sha256=SHA256)


def test_a_silent_server_is_given_up(server: Any, tmp_path: Path) -> None:
    server.answer.silent = True
    with pytest.raises(WeightsError, match="no answer in time"):
        download(server.url, tmp_path / "file", sha256=SHA256, timeout=0.1)


def test_no_server_at_all_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound but not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/vgg19.pth"
        with pytest.raises(WeightsError, match=r"could not be reached \(.*refused\)"):
            download(url, tmp_path / "file", sha256=SHA256)


def test_a_name_that_does_not_resolve_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="could not be reached"):
        download("http://no-such-host.invalid/vgg19.pth", tmp_path / "file", sha256=SHA256)


def test_there_is_no_progress_bar_where_nobody_looks(
    server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer.body = BODY
    download(server.url, tmp_path / "file", sha256=SHA256)
    assert capsys.readouterr() == ("", "")


def test_there_is_a_progress_bar_on_a_terminal(
    server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer.body = BODY
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    download(server.url, tmp_path / "file", sha256=SHA256)
    assert "100%" in capsys.readouterr().err
