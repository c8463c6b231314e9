"""What operations people see: metrics, logs, traces."""

from service.monitoring.door import ALIVE_SECONDS, READY_SECONDS, Door
from service.monitoring.logs import logging_config
from service.monitoring.metrics import CLIENT_CLOSED_REQUEST, UNMATCHED, Metrics
from service.monitoring.record import RequestRecord
from service.monitoring.tracing import Tracing, caller_of

__all__ = [
    "ALIVE_SECONDS",
    "CLIENT_CLOSED_REQUEST",
    "READY_SECONDS",
    "UNMATCHED",
    "Door",
    "Metrics",
    "RequestRecord",
    "Tracing",
    "caller_of",
    "logging_config",
]
