"""Logs on standard output: JSON, one object per line, or on a terminal lines for people."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

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
                "class": "logging.StreamHandler",
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
