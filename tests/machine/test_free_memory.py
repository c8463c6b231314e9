from pathlib import Path

import pytest

from service.machine.free_memory import (
    RESERVE,
    free_for_pictures,
    free_for_requests,
    free_on_gpu,
    parse_amount,
)

GIB = 2**30


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A machine with 20 GiB left, and a process that holds 1 GiB."""
    folder = tmp_path / "proc"
    (folder / "self").mkdir(parents=True)
    (folder / "meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable:   {20 * GIB // 1024} kB\n")
    (folder / "self/status").write_text(f"Name:\tpython\nVmRSS:\t {GIB // 1024} kB\n")
    return folder


def test_without_a_container_it_is_what_the_machine_has_left(tmp_path: Path, proc: Path) -> None:
    assert free_for_requests(tmp_path, proc) == 20 * GIB - RESERVE


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
def test_of_the_limit_of_a_container_the_process_holds_some_already(
    tmp_path: Path, proc: Path, name: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(f"{6 * GIB}\n")
    assert free_for_requests(tmp_path, proc) == 5 * GIB - RESERVE


@pytest.mark.parametrize("limit", ["max", "9223372036854771712", "nonsense", ""])
def test_what_is_no_limit_does_not_count(tmp_path: Path, proc: Path, limit: str) -> None:
    (tmp_path / "memory.max").write_text(limit)
    assert free_for_requests(tmp_path, proc) == 20 * GIB - RESERVE


def test_a_process_above_its_limit_has_nothing_left(tmp_path: Path, proc: Path) -> None:
    (tmp_path / "memory.max").write_text(str(GIB // 2))
    assert free_for_requests(tmp_path, proc) == 0


def test_where_nothing_is_known_there_is_no_bound(tmp_path: Path) -> None:
    assert free_for_requests(tmp_path, tmp_path) is None


@pytest.mark.parametrize(
    ("free", "painting", "left"),
    [
        (4 * GIB, 0, 4 * GIB),  # a GPU paints
        (4 * GIB, 4 * GIB, RESERVE),  # the painting may take all of it
        (4 * GIB, 3 * GIB, GIB),  # STYLIZE_MEMORY
        (4 * GIB, 9 * GIB, RESERVE),
        (0, 0, RESERVE),
        (None, 0, None),
    ],
)
def test_pictures_that_wait_get_what_the_painting_leaves_and_the_reserve_at_least(
    free: int | None, painting: int, left: int | None
) -> None:
    assert free_for_pictures(free, painting) == left


@pytest.mark.parametrize(("free", "left"), [(20 * GIB, 18 * GIB - RESERVE), (RESERVE, 0)])
def test_of_a_gpu_it_is_nine_tenths_of_what_is_free_now(
    free: int, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda: (free, 80 * GIB))
    assert free_on_gpu() == left


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("6GiB", 6 * GIB),
        ("6Gi", 6 * GIB),
        (" 1.5 gib ", 3 * GIB // 2),
        ("6G", 6 * 10**9),
        ("6gb", 6 * 10**9),
        ("900MiB", 900 * 2**20),
        ("6000000000", 6 * 10**9),
        ("6 bytes", None),
        ("-1G", None),
        ("6i", None),
        ("GiB", None),
        ("", None),
    ],
)
def test_amounts_are_written_as_people_and_kubernetes_write_them(text: str, size: int | None) -> None:
    assert parse_amount(text) == size


@pytest.mark.parametrize(
    ("listed", "file"),
    [
        ("0::/system.slice/stylize.service\n", "system.slice/stylize.service/memory.max"),
        ("0::/system.slice/stylize.service\n", "system.slice/memory.max"),
        ("5:cpu:/a\n4:memory:/docker/abc\n", "memory/docker/abc/memory.limit_in_bytes"),
        ("0::/a/path/outside\n", "memory.max"),
    ],
)
def test_the_limits_of_every_group_that_it_is_in_count(
    tmp_path: Path, proc: Path, listed: str, file: str
) -> None:
    (proc / "self/cgroup").write_text(listed)
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(f"{6 * GIB}\n")
    assert free_for_requests(tmp_path, proc) == 5 * GIB - RESERVE
