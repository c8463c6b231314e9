"""One decoder, as the service sees it: a process that is asked, waited for, and ended."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import service
from service.images.decoders import memfd

PROGRAM = (sys.executable, "-m", "service.images.decoders.child")

# How often whoever waits for an answer looks whether it is still wanted.
_LOOK_SECONDS = 0.02
_MOST_BYTES = 1 << 16
# Where Python and its libraries are found; nothing else of the environment is a decoder's business.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "LANG")
_ROOT = Path(service.__file__).parents[1]


class DiedError(Exception):
    """The process ended in place of an answer.

    Attributes:
        signal: that ended it; None where it ended by itself.
        complaint: what it wrote to its standard error, its end.
    """

    def __init__(self, code: int, complaint: str) -> None:
        self.signal = signal.Signals(-code) if code < 0 else None
        self.complaint = complaint
        super().__init__(f"a decoder ended with {self.signal.name if self.signal else f'code {code}'}")


class Process:
    """A process that decodes.

    Args:
        program: what it runs; the descriptor of its socket is added as the last argument.

    Raises:
        OSError: there is no memory for it, or there are too many processes or files.
    """

    def __init__(self, program: Sequence[str] = PROGRAM) -> None:
        self.jobs = 0
        self._answered = False  # not even that it may begin
        self._complaints = os.memfd_create("complaints", os.MFD_CLOEXEC)
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._child = subprocess.Popen(
                [*program, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
                env={name: os.environ[name] for name in _INHERITED if name in os.environ}
                | {"PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,  # a Ctrl-C is for the service
            )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._child.pid

    @property
    def usable(self) -> bool:
        """Whether it lives, and owes no answer."""
        return self._answered and self._child.poll() is None

    def begin(self) -> None:
        """Wait until it can be asked.

        Raises:
            DiedError: it cannot.
        """
        self._answer(lambda: None)

    def ask(
        self, job: dict[str, Any], data: bytes, look: Callable[[], object]
    ) -> tuple[dict[str, Any], int | None]:
        """Its answer, and a file with pixels, which the caller closes.

        Args:
            job: see `child.answer`.
            data: the picture's file.
            look: called again and again; what it raises ends the waiting, and the process is not usable any more.

        Raises:
            DiedError: there is no answer.
        """
        self.jobs += 1
        self._answered = False
        file = memfd.put(data)
        try:
            socket.send_fds(self._socket, [json.dumps(job).encode()], [file])
        except ConnectionError:
            raise self._death() from None
        finally:
            os.close(file)
        return self._answer(look)

    def end(self) -> None:
        """End the process, whatever it does."""
        self._child.kill()
        self._child.wait()
        self._socket.close()
        with suppress(OSError):
            os.close(self._complaints)

    def _answer(self, look: Callable[[], object]) -> tuple[dict[str, Any], int | None]:
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        while not waiting.poll(1000 * _LOOK_SECONDS):
            look()
        try:
            message, files, _, _ = socket.recv_fds(self._socket, _MOST_BYTES, 1)
        except ConnectionError:
            raise self._death() from None
        if not message:
            raise self._death()
        self._answered = True
        return json.loads(message), files[0] if files else None

    def _death(self) -> DiedError:
        code = self._child.wait()
        return DiedError(code, memfd.take(self._complaints).decode(errors="replace")[-2000:])
