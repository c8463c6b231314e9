"""One thread that paints, the queue before it, and who is admitted to that."""

from service.engine.admission import Admission, Ticket
from service.engine.engine import EXIT_STOPS_MASTER, Engine, State
from service.engine.jobs import (
    DeadlineError,
    EngineDiedError,
    Fault,
    Job,
    JobError,
    LoadError,
    Model,
    OutOfMemoryError,
)
from service.engine.refusals import (
    BatchFullError,
    CannotMeetDeadlineError,
    KeyLimitError,
    NotReadyError,
    PlaceLostError,
    QueueFullError,
    RefusedError,
)
from service.engine.watch import Glimpse, Watch

__all__ = [
    "EXIT_STOPS_MASTER",
    "Admission",
    "BatchFullError",
    "CannotMeetDeadlineError",
    "DeadlineError",
    "Engine",
    "EngineDiedError",
    "Fault",
    "Glimpse",
    "Job",
    "JobError",
    "KeyLimitError",
    "LoadError",
    "Model",
    "NotReadyError",
    "OutOfMemoryError",
    "PlaceLostError",
    "QueueFullError",
    "RefusedError",
    "State",
    "Ticket",
    "Watch",
]
