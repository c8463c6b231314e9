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
        result.stderr == "weights: vgg11 is no file, and no backbone: choose vgg19 or vgg16, or name a file\n"
    )


def test_list_says_what_is_known_and_what_is_there(vgg19_file: Any, tmp_path: Path) -> None:
    CliRunner().invoke(weights_command, [str(vgg19_file.path), "--dir", str(tmp_path)])
    result = CliRunner().invoke(weights_command, ["--list", "--dir", str(tmp_path)])
    assert result.exit_code == 0
    assert "vgg19  not provisioned" in result.stdout
    assert "vgg16  not provisioned" in result.stdout
    assert "custom  provisioned" in result.stdout
    assert "CC BY 4.0" in result.stdout
