"""Logs as JSON, one object per line on standard output."""

import json
import logging
import re
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


def _without_credentials(text: str) -> str:
    return _CREDENTIALS.sub(r"\1 [removed]", text)


def logging_config(level: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`: everything, gunicorn's own messages included, as JSON on stdout."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "service.monitoring.logs.JSONFormatter"}},
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "formatter": "json",
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
