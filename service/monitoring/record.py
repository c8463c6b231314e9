"""What is known about one request; by its end, one line of the log."""

import logging
from dataclasses import dataclass, field
from typing import Any

_request_log = logging.getLogger("stylize.request")


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
