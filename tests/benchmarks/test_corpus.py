"""The corpus benchmark, on a corpus of two files and a model that paints nothing."""

import io
import tarfile
from pathlib import Path

from click.testing import CliRunner

from benchmarks.hostile.corpus import Answer, main
from devtools.running import Server
from devtools.serving import picture


def archive(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def test_every_file_is_sent_twice_and_its_outcome_counted(tmp_path: Path) -> None:
    archive(
        tmp_path / "made-up-1.0.tar.gz",
        {
            "made-up-1.0/Tests/images/good.png": picture(),
            "made-up-1.0/Tests/images/deep/broken.png": picture()[:60],
            "made-up-1.0/README": b"no picture, and in no folder of pictures",
        },
    )
    with Server() as server:
        address = "http://127.0.0.1"
        result = CliRunner().invoke(
            main,
            [
                *("--url", f"{address}:{server.port}", "--admin", f"{address}:{server.admin_port}"),
                *("--package", "made-up", "--cache", str(tmp_path)),
            ],
        )
    assert result.exit_code == 0, result.output
    assert "made-up-1.0.tar.gz: 2 files" in result.output
    assert "         1         1  200 image/png\n" in result.output
    assert "         1         1  422 /problems/unusable-image\n" in result.output


def test_errors_of_the_service_and_late_answers_are_wrong() -> None:
    assert not Answer("a.png", "content", "200 image/png", 9.9).wrong
    assert not Answer("a.png", "content", "415 /problems/unsupported-image", 0.1).wrong
    assert Answer("a.png", "content", "500 /problems/internal-error", 0.1).wrong
    assert Answer("a.png", "content", "no answer: ReadTimeout", 60.0).wrong
    assert Answer("a.png", "content", "200 image/png", 10.1).wrong
