"""gunicorn's master, without what one worker does not survive.

A second worker would want the administrative port that the first one has, and end everything. So what makes gunicorn
start one is refused: some signals, and a number of workers. It runs in the master, so nothing here may import torch.
"""

import signal
from collections.abc import Callable
from functools import partial
from typing import Any

REFUSED = {
    "hup": "settings are environment variables, and those of a process stay as they are; keys and styles are read "
    "again by themselves. End the process with SIGTERM, which finishes what is inside, and start it again",
    "ttin": "there is one worker, and more throughput is more processes",
    "ttou": "there is one worker, and more throughput is more processes",
    "usr2": "the new process would want the ports that this one has: end it with SIGTERM, and start it again",
}
"""Signals that start or end workers, and why they do not here."""


def keep_to_one_worker(arbiter: Any) -> None:
    """Refuse, with a warning, what would start another worker.

    Args:
        arbiter: gunicorn's, before it has started any.
    """
    for name, reason in REFUSED.items():
        setattr(arbiter, f"handle_{name}", _refusal(arbiter, f"SIG{name.upper()}", reason))
    if arbiter.cfg.workers != 1:
        arbiter.log.warning(
            "there is one worker, not %d: more throughput is more processes", arbiter.cfg.workers
        )
        arbiter.cfg.set("workers", 1)
        arbiter.num_workers = 1


def ignore_refused() -> None:
    """In the worker, which would end at some of these signals: they may be sent to all of a group of processes."""
    for name in REFUSED:
        signal.signal(signal.Signals[f"SIG{name.upper()}"], signal.SIG_IGN)


def _refusal(arbiter: Any, name: str, reason: str) -> Callable[[], None]:
    return partial(arbiter.log.warning, "%s changes nothing: %s", name, reason)
