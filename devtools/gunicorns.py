"""Two ways to start gunicorn: as a program of its own, and as a copy of a process that has imported what it needs.

A start of the service from nothing costs four seconds of a core, nearly all of them imports, and tests start it more
than fifty times. Everything from gunicorn's `main` on is the same in a copy: it reads its settings there.
"""

import atexit
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from gunicorn.app.wsgiapp import run

IMPORTS = ["devtools.serving", "gunicorn.app.wsgiapp", "service.monitoring", "service.server.worker"]
"""Not gunicorn's configuration, which reads the settings as it is imported."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(IMPORTS)


class Fresh(subprocess.Popen[bytes]):
    """A gunicorn as users start it, or another program. The arguments are those of Forked."""

    def __init__(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        files: int | None = None,
        program: str = "gunicorn",
    ) -> None:
        limit = ["prlimit", f"--nofile={files}"] if files is not None else []
        command = [*limit, sys.executable, "-m", program, *arguments]
        with log.open("ab") as out:
            super().__init__(command, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT)


class Forked:
    """A gunicorn in a copy of this process's fork server, with what tests need of subprocess.Popen.

    Args:
        arguments: of gunicorn's command line.
        environment: all of its variables.
        folder: where it runs.
        log: file for what it writes.
        files: how many it may have open, unless that is its parent's.
    """

    def __init__(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        files: int | None = None,
    ) -> None:
        self._process: ForkServerProcess = _context.Process(
            target=_run, args=(arguments, dict(environment), folder, log, files)
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """Its exit code; None as long as it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended.

        Raises:
            subprocess.TimeoutExpired: after so many seconds.
        """
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("gunicorn", timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _run(
    arguments: list[str], environment: dict[str, str], folder: Path, log: Path, files: int | None
) -> None:
    """Become what `python -m gunicorn ARGUMENTS` is; in the copy, and in the workers that it forks."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    with log.open("ab") as out:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(out.fileno(), stream.fileno())
    if files is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    sys.argv = ["gunicorn", *arguments]
    try:
        run()
    finally:
        atexit._run_exitfuncs()  # multiprocessing ends its processes without
