"""How long everything around a request has to wait: one rule, from STYLIZE_DEADLINE.

Each is a number of seconds to add to the deadline. The chart, the compose file and the documentation say the same;
tests/helm/test_times.py holds them to it. Nothing here may import torch.
"""

import math

ANSWERED = 5
"""To the end of the answer: a picture may be 2 s late (`service.api.paint.deadline`), 3 s are for the rest."""

DRAINED = ANSWERED + 2
"""From SIGTERM to the last answer: for 2 s more, a connection that is kept open may bring a request."""

ROUTED = ANSWERED + 5
"""What stands before the service waits longer than the service, so that the service gives up, with a reason."""

STOPPED = DRAINED + 8
"""From SIGTERM until a supervisor may kill the process: Python and CUDA need some seconds to end."""


def after(deadline: float, seconds: int) -> int:
    """Whole seconds from now: the deadline, and one of the numbers above."""
    return math.ceil(deadline) + seconds
