from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from service.weights.command import weights_command

pytestmark = pytest.mark.usefixtures("quick_calibration")


def test_a_file_is_provisioned_and_what_was_done_is_printed(vgg19_file: Any, tmp_path: Path) -> None:
    result = CliRunner().invoke(weights_command, [str(vgg19_file.path), "--dir", str(tmp_path)])
    assert result.exit_code == 0
    assert result.stderr == ""
    assert f"custom: {tmp_path}/custom.safetensors, 80.1 MB" in result.stdout
    assert vgg19_file.sha256[:12] in result.stdout


def test_the_second_time_it_says_that_it_is_there_already(vgg19_file: Any, tmp_path: Path) -> None:
    arguments = [str(vgg19_file.path), "--dir", str(tmp_path)]
    CliRunner().invoke(weights_command, arguments)
    result = CliRunner().invoke(weights_command, arguments)
    assert result.exit_code == 0
    assert "already" in result.stdout


def test_the_directory_comes_from_the_environment(vgg19_file: Any, tmp_path: Path) -> None:
    environment = {"STYLIZE_WEIGHTS_DIR": str(tmp_path / "elsewhere")}
    CliRunner().invoke(weights_command, [str(vgg19_file.path)], env=environment)
    assert (tmp_path / "elsewhere" / "custom.safetensors").is_file()


def test_a_failure_is_one_sentence_on_stderr_and_exit_code_1(tmp_path: Path) -> None:
    result = CliRunner().invoke(weights_command, ["vgg11", "--dir", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert (
        result.stderr
        == "weights: vgg11 is neither a file nor a backbone: choose vgg19 or vgg16, or name a file\n"
    )


def test_list_says_what_is_known_and_what_is_there(vgg19_file: Any, tmp_path: Path) -> None:
    CliRunner().invoke(weights_command, [str(vgg19_file.path), "--dir", str(tmp_path)])
    result = CliRunner().invoke(weights_command, ["--list", "--dir", str(tmp_path)])
    assert result.exit_code == 0
    assert "vgg19  not provisioned" in result.stdout
    assert "vgg16  not provisioned" in result.stdout
    assert "custom  provisioned" in result.stdout
    assert "CC BY 4.0" in result.stdout


def test_a_file_of_one_s_own_comes_from_the_web_and_is_checked(
    server: Any, vgg19_file: Any, tmp_path: Path
) -> None:
    server.answer.body = vgg19_file.path.read_bytes()
    arguments = ["custom", "--url", server.url, "--sha256", vgg19_file.sha256, "--dir", str(tmp_path)]
    result = CliRunner().invoke(weights_command, arguments)
    assert result.exit_code == 0, result.output
    assert f"custom: {tmp_path}/custom.safetensors, 80.1 MB" in result.stdout
    assert f"source  {server.url}" in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["custom.safetensors"]
    server.answer.body = b""  # the second time nothing is fetched
    assert "already" in CliRunner().invoke(weights_command, arguments).stdout
    other = [*arguments[:4], "0" * 64, *arguments[5:]]
    server.answer.body = vgg19_file.path.read_bytes()
    assert "wrong checksum" in CliRunner().invoke(weights_command, other).stderr


def test_a_mirror_has_to_have_the_published_file(server: Any, vgg19_file: Any, tmp_path: Path) -> None:
    server.answer.body = vgg19_file.path.read_bytes()  # its layout, but not its bytes
    result = CliRunner().invoke(weights_command, ["vgg19", "--url", server.url, "--dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "wrong checksum" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["custom", "--url", "http://a.example"], "custom needs it, 64 lower-case digits"),
        (["custom", "--url", "http://a.example", "--sha256", "abc"], "custom needs it, 64 lower-case digits"),
        (
            ["vgg19", "--url", "http://a.example", "--sha256", "0" * 64],
            "that of vgg19 is known: leave it out.",
        ),
        (["vgg19", "--url", "ftp://a.example"], "give an address with http:// or https://."),
        (["mine.pth", "--url", "http://a.example"], "mine.pth is fetched from nowhere: leave it out."),
    ],
)
def test_what_cannot_be_fetched_is_said_before_anything_is(
    arguments: list[str], words: str, tmp_path: Path
) -> None:
    result = CliRunner().invoke(weights_command, [*arguments, "--dir", str(tmp_path)])
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
