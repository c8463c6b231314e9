"""Fixtures that all tests share."""

import os

# Before torch is imported. Threads that spin while they wait take the cores from those that work: beside a busy
# process, small pictures took twenty times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "PYTEST_XDIST_WORKER" in os.environ:  # the other cores have workers of their own
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import re
from collections import Counter
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from devtools.running import Server
from service.machine.cpus import usable_cpus

Server.forked = True

MOST_WORKERS = 8
"""Each has torch and a network of its own in memory."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One for each CPU that this process may use, of which a container may have fewer than its machine."""
    return min(usable_cpus(), MOST_WORKERS)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """What was skipped, why, and the command that brings what is missing.

    A reason to skip that a package of Debian would remove ends with `apt-get install` and its name.
    """
    reasons = Counter(
        str(report.longrepr[2]).removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    if not reasons:
        return
    packages = sorted({name for reason in reasons for name in re.findall(r"apt-get install (\S+)", reason)})
    shortened = {reason: re.sub(r":? *apt-get install \S+", "", reason) for reason in reasons}
    why = "; ".join(f"{count} as {shortened[reason]}" for reason, count in reasons.most_common())
    terminalreporter.section("skipped")
    terminalreporter.line(f"{reasons.total()} tests were skipped.")
    terminalreporter.line(f"Why: {why}.")
    command = f"apt-get install {' '.join(packages)}" if packages else "there is no command that would"
    terminalreporter.line(f"To run them: {command}")


@pytest.fixture(scope="session")
def vgg16_dir() -> Path:
    """The weights directory, with the real VGG-16 in it; without it the test fails, as it has shown nothing."""
    default = Path(__file__).parents[1] / "weights"
    directory = Path(os.environ.get("STYLIZE_WEIGHTS_DIR") or default)
    if not (directory / "vgg16.safetensors").is_file():
        pytest.fail(f"the VGG-16 weights are not in {directory}: run `make setup`, which provisions them")
    return directory
