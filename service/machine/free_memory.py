"""How much memory this process may take for a request. `service.style.memory` says how much that needs."""

import re
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_PROC = Path("/proc")

RESERVE = 512 * 2**20
"""Bytes that no painting takes: for the pictures that wait, which have a bound, and for all that has none: uploads,
pictures that are being decoded, answers."""

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?i?)B?", re.IGNORECASE)


def parse_amount(text: str) -> int | None:
    """Bytes of a text like 6GiB, 6Gi, 6G, 6.5 GB or 6000000000; None: it is no such text.

    >>> parse_amount("1.5GiB"), parse_amount("2 G"), parse_amount("512")
    (1610612736, 2000000000, 512)
    """
    match = _AMOUNT.fullmatch(text.strip())
    unit = match[2].capitalize() if match else "?"
    return int(float(match[1]) * _UNITS[unit]) if match and unit in _UNITS else None


def free_for_requests(cgroup: Path = _CGROUP, proc: Path = _PROC) -> int | None:
    """Bytes that this process may still take on the CPU, less RESERVE: of its container, and of the machine.

    Args:
        cgroup: where the control groups are mounted; version 2 and version 1 are both understood.
        proc: where the kernel describes processes.

    Returns:
        None where nothing is known of any limit, which is so where there is no Linux.
    """
    left = [_kilobytes(proc / "meminfo", "MemAvailable")]
    held = _kilobytes(proc / "self/status", "VmRSS")
    if (limit := _limit(cgroup, proc)) is not None and held is not None:
        left.append(limit - held)
    known = [size for size in left if size is not None]
    return max(0, min(known) - RESERVE) if known else None


def free_for_pictures(free: int | None, painting: int) -> int | None:
    """Bytes of the host's memory that the pictures of all requests inside may take, with their copies.

    Args:
        free: of `free_for_requests`.
        painting: what the painting of one picture may take of that; 0 where a GPU paints.

    Returns:
        What the painting leaves, RESERVE at least: so ordinary pictures may wait where it leaves nothing. None where
        nothing is known of any limit.
    """
    return None if free is None else max(RESERVE, free - painting)


def free_on_gpu() -> int:
    """Bytes of the GPU that a picture may take: nine tenths of what is free, less RESERVE.

    The tenth is what torch's allocator loses between tensors, RESERVE the kernels that CUDA's libraries load later.
    """
    import torch

    free, _ = torch.cuda.mem_get_info()
    return max(0, free * 9 // 10 - RESERVE)


def _limit(cgroup: Path, proc: Path) -> int | None:
    """Bytes of the container's limit: the least of the groups that this process is in; None where there is none."""
    limits = []
    for group in _groups(cgroup, proc):
        for name in ("memory.max", "memory.limit_in_bytes"):
            try:
                limits.append(int((group / name).read_text()))  # "max" is no number, and no limit
            except (OSError, ValueError):
                continue
    return min(limits, default=None)


def _groups(cgroup: Path, proc: Path) -> set[Path]:
    """Control groups of this process, with those that they are in (cgroups(7), /proc/self/cgroup).

    A container's own group is often the root of what is mounted there, whatever its path is outside.
    """
    groups = {cgroup, cgroup / "memory"}  # of version 2, of version 1
    try:
        lines = (proc / "self/cgroup").read_text().splitlines()
    except OSError:
        return groups
    for line in lines:
        _, controllers, path = line.split(":", 2)
        root = cgroup if not controllers else cgroup / "memory"
        if not controllers or "memory" in controllers.split(","):
            inner = Path(path.lstrip("/"))
            groups |= {root / each for each in (inner, *inner.parents)}
    return groups


def _kilobytes(path: Path, name: str) -> int | None:
    """The bytes of a line like "MemAvailable:   22722900 kB"."""
    try:
        match = re.search(rf"^{name}:\s+(\d+) kB$", path.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(match[1]) * 1024 if match else None
