"""Every benchmark can be started by its name."""

import importlib

import click
import pytest

from benchmarks.__main__ import BENCHMARKS


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_name_stands_for_a_command(name: str) -> None:
    module = importlib.import_module(f"benchmarks.{BENCHMARKS[name][0]}")
    assert isinstance(module.main, click.Command)
