"""CPUs: how many this process may really use, and how its threads wait for one another."""

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def usable_cpus(cgroup: Path = _CGROUP) -> int:
    """CPUs that the scheduler's affinity and the container's quota leave, at least 1.

    A container with a limit of 2 CPUs on a machine with 64 sees 64, and as many threads would only wait for
    one another.

    Args:
        cgroup: where the control groups are mounted; version 2 and version 1 are both understood.
    """
    allowed = len(os.sched_getaffinity(0))
    quota = _quota(cgroup)
    return max(1, allowed if quota is None else min(allowed, math.ceil(quota)))


def _quota(cgroup: Path) -> float | None:
    """CPUs of the container's limit; None where there is none."""
    try:
        if (limit := cgroup / "cpu.max").exists():
            microseconds, period = limit.read_text().split()
        else:
            microseconds = (cgroup / "cpu/cpu.cfs_quota_us").read_text()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text()
        quota = int(microseconds) / int(period)  # "max" is no number, and no limit
    except (OSError, ValueError, ZeroDivisionError):
        return None
    return quota if quota > 0 else None  # version 1 says -1


def wait_without_spinning() -> None:
    """Let OpenMP's threads sleep while they wait for one another; call it before torch is imported.

    They spin otherwise. On a machine to itself that is a little faster; next to a busy neighbour a thread that
    spins keeps the core from the one that it waits for: 60 evaluations at 64 px took more than 35 s instead of
    1.4 s, on 2 cores beside two busy processes. A container rarely has its cores to itself.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
