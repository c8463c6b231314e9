"""Logs on standard output: JSON, one object per line, or on a terminal lines for people."""

import json
import logging
import os
import queue
import re
import sys
import threading
from datetime import UTC, datetime
from typing import Any, TextIO

FLUSH_SECONDS = 2.0
"""At the end of a process, for lines that are not written yet."""

# What every log record has; the rest came with `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


# No key is logged on purpose; but a server may quote a head that it cannot read, as gunicorn does at level debug.
_CREDENTIALS = re.compile(r"(authorization\b)[^\n]*", re.IGNORECASE)


class JSONFormatter(logging.Formatter):
    """A record as one JSON object: time, level, logger, message, and whatever came with `extra`; no credentials."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _without_credentials(record.getMessage()),
        }
        line.update((name, value) for name, value in vars(record).items() if name not in _STANDARD)
        if record.exc_info:
            line["exception"] = _without_credentials(self.formatException(record.exc_info))
        return json.dumps(line, default=str)


class TerminalFormatter(logging.Formatter):
    """A record as a line for somebody at a terminal: when, how serious where it is, and what; no credentials."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and below it the traceback where there is one."""
        parts = [f"{datetime.fromtimestamp(record.created):%H:%M:%S}"]
        if record.levelno >= logging.WARNING:
            parts.append(f"{record.levelname}:")
        parts.append(_without_credentials(record.getMessage()))
        if (seconds := vars(record).get("seconds")) is not None:
            parts.append(f"in {seconds:.2f} s")
        if (problem := vars(record).get("problem")) is not None:
            parts.append(f"({problem})")
        line = " ".join(parts)
        if record.exc_info:
            line += "\n" + _without_credentials(self.formatException(record.exc_info))
        return line


def _without_credentials(text: str) -> str:
    return _CREDENTIALS.sub(r"\1 [removed]", text)


class PatientHandler(logging.Handler):
    """Writes lines to a stream on a thread of its own, and drops them where nobody reads.

    A reader that stops fills its pipe, and whoever logs would wait for it, for ever.

    Args:
        stream: that lines go to.
        most: lines that may wait to be written.
    """

    def __init__(self, stream: TextIO, most: int = 1000) -> None:
        super().__init__()
        self._stream = stream
        self._most = most
        self._dropped = 0
        self._begin()
        # The writer does not survive a fork, and must not hold the stream meanwhile.
        os.register_at_fork(before=self.flush, after_in_child=self._begin)

    def _begin(self) -> None:
        self._lines: queue.Queue[str] = queue.Queue(self._most)
        self._writer: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Have a line written; the handler's lock is held."""
        try:
            line = self.format(record)
        except Exception:
            self.handleError(record)
            return
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="log", daemon=True)
            self._writer.start()
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._dropped += 1

    def flush(self) -> None:
        """Wait until all lines are written, but not for ever."""
        if self._writer is None:
            return
        with self._lines.all_tasks_done:
            self._lines.all_tasks_done.wait_for(lambda: not self._lines.unfinished_tasks, FLUSH_SECONDS)

    def _write(self) -> None:
        while True:
            line = self._lines.get()
            dropped, self._dropped = self._dropped, 0
            try:
                self._stream.write(line + "\n")
                if dropped:
                    what = f"{dropped} lines before this one were dropped, as nobody read the log"
                    record = logging.LogRecord(__name__, logging.WARNING, "", 0, what, (), None)
                    self._stream.write(self.format(record) + "\n")
                self._stream.flush()
            except (OSError, ValueError):  # there is nobody any more
                pass
            finally:
                self._lines.task_done()


def logging_config(level: str, *, terminal: bool | None = None) -> dict[str, Any]:
    """For `logging.config.dictConfig`: everything, gunicorn's own messages included, on stdout.

    Args:
        level: the least serious that is written.
        terminal: whether people read it; None: whether stdout is a terminal.
    """
    terminal = sys.stdout.isatty() if terminal is None else terminal
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "service.monitoring.logs.JSONFormatter"},
            "terminal": {"()": "service.monitoring.logs.TerminalFormatter"},
        },
        "handlers": {
            "stdout": {
                "()": "service.monitoring.logs.PatientHandler",
                "formatter": "terminal" if terminal else "json",
                "stream": "ext://sys.stdout",
            }
        },
        "root": {"level": level.upper(), "handlers": ["stdout"]},
        "loggers": {
            # gunicorn has put its own handlers there by now; the root's would print everything twice.
            "gunicorn.error": {"level": level.upper(), "handlers": ["stdout"], "propagate": False},
            "gunicorn.access": {"level": "WARNING", "handlers": ["stdout"], "propagate": False},
        },
    }
