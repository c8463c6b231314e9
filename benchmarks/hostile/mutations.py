"""Bombs and mutated files through the decoding gate: what becomes of them, and how long it takes.

    python -m benchmarks hostile [--files 10000] [--seed 0] [--heic]

Each batch of mutated files runs in a process that may crash or hang, which would be counted. The same seed gives the
same files.
"""

import statistics
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import click
from PIL import Image

from devtools.bombs import BOMBS, HARMLESS, saved
from devtools.mutations import KINDS, files, outcome

BATCH = 250
SLOWEST_BATCH = 300.0
"""Seconds after which a batch counts as hung."""


def batch(kinds: tuple[str, ...], start: int, count: int, seed: int) -> list[tuple[str, str, float]]:
    """(kind, outcome, seconds) of each file."""
    results = []
    for kind, data in files(kinds, start, count, seed):
        began = time.perf_counter()
        result = outcome(data, heic="HEIF" in kinds)
        results.append((kind, result, time.perf_counter() - began))
    return results


def register_heif() -> None:
    """For writing the originals; reading does without."""
    import pillow_heif

    pillow_heif.register_heif_opener()


def print_bombs(title: str, bombs: dict[str, Callable[[], bytes]]) -> None:
    print(f"{title:40} {'bytes':>10} {'ms':>8}  outcome")
    for name, make in bombs.items():
        data, seconds = make(), []
        for _ in range(9):
            began = time.perf_counter()
            result = outcome(data)
            seconds.append(time.perf_counter() - began)
        print(f"{name:40} {len(data):10,} {1000 * statistics.median(seconds):8.2f}  {result}", flush=True)


@click.command(help=__doc__)
@click.option("--files", "count", default=10_000, show_default=True, help="mutated files")
@click.option("--seed", default=0, show_default=True)
@click.option("--heic", is_flag=True, help="HEIC too; needs pillow-heif")
def main(count: int, seed: int, heic: bool) -> None:
    outcome(saved(Image.new("RGB", (16, 16)), "PNG"))  # Pillow loads its plugins
    print_bombs("bomb (median of 9)", dict(BOMBS))
    print_bombs("huge but harmless", dict(HARMLESS))
    kinds = (*KINDS, "HEIF") if heic else KINDS
    counts: Counter[tuple[str, str]] = Counter()
    slowest = 0.0
    for start in range(0, count, BATCH):
        part = min(BATCH, count - start)
        with ProcessPoolExecutor(1, initializer=register_heif if heic else None) as pool:
            try:
                results = pool.submit(batch, kinds, start, part, seed).result(SLOWEST_BATCH)
            except (BrokenProcessPool, TimeoutError) as error:
                counts["any", f"CRASHED OR HUNG in {start}-{start + part}: {error!r}"] += 1
                for process in pool._processes.values():
                    process.kill()
                continue
        counts.update((kind, result) for kind, result, _ in results)
        slowest = max(slowest, *(seconds for _, _, seconds in results))
    print(f"\n{'mutated':8} {'files':>6}  outcome")
    for (kind, result), number in sorted(counts.items()):
        print(f"{kind:8} {number:6}  {result}")
    print(f"slowest: {1000 * slowest:.0f} ms")


if __name__ == "__main__":
    main()
