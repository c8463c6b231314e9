"""Logs as JSON, one object per line on standard output; one such line for each request."""

import json
import logging
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_request_log = logging.getLogger("stylize.request")

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


@dataclass
class RequestRecord:
    """What is known about one request by its end; it becomes one line of the log and some metrics.

    Attributes:
        request_id: ours, or the caller's.
        started: when it began, monotonic seconds.
        outcome: of a request to paint.
        stages: seconds of each stage that was gone through.
        begun: when each of them began, on the clock of `started`.
        facts: whatever else belongs in the line.
    """

    request_id: str
    started: float
    outcome: str | None = None
    stages: dict[str, float] = field(default_factory=dict)
    begun: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def went_through(self, stage: str, begun: float, seconds: float) -> None:
        """Write down a stage that has ended.

        Args:
            stage: its name.
            begun: when, on the clock of `started`.
            seconds: how long it took.
        """
        self.begun[stage], self.stages[stage] = begun, seconds

    def log(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Write the line."""
        _request_log.info(
            "%s %s %s",
            method,
            route,
            status,
            extra={
                "request_id": self.request_id,
                "method": method,
                "route": route,
                "status": status,
                "outcome": self.outcome,
                "seconds": round(seconds, 4),
                "stages": {stage: round(took, 4) for stage, took in self.stages.items()},
                **self.facts,
            },
        )
