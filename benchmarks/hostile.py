"""Bombs and mutated files through the decoding gate: what becomes of them, and how long it takes.

    python -m benchmarks.hostile [--files 10000] [--seed 0] [--heic]

Each batch of mutated files runs in a process that may crash or hang, which would be counted. The same seed gives the
same files.
"""

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache

import click
import numpy as np
from PIL import Image

from benchmarks.bombs import BOMBS, HARMLESS, saved
from service.images import Decoded, ImageError, decode
from service.images.colour import srgb_profile

KINDS = ("JPEG", "PNG", "WEBP", "AVIF")
BATCH = 250
SLOWEST_BATCH = 300.0
"""Seconds after which a batch counts as hung."""


@cache
def originals(kind: str) -> list[bytes]:
    """Valid files that take different ways through a decoder: modes, metadata, animations."""
    y, x = np.mgrid[0:48, 0:64]
    photo = Image.fromarray(np.stack([4 * x, 5 * y, 200 - 2 * x - y], axis=-1).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    extras = {"exif": exif, "icc_profile": srgb_profile()}
    alpha = photo.convert("RGBA")
    alpha.putalpha(Image.linear_gradient("L").resize(photo.size))
    animation = {"save_all": True, "append_images": [photo.rotate(90), photo.rotate(180)]}
    if kind == "JPEG":
        modes = [photo.convert("CMYK"), photo.convert("L")]
        return [
            saved(photo, kind, **extras),
            saved(photo, kind, progressive=True),
            *(saved(mode, kind) for mode in modes),
        ]
    if kind == "PNG":
        levels = np.asarray(photo.convert("L")).astype(np.uint16) * 257
        return [
            saved(photo, kind, **extras),
            saved(alpha, kind),
            saved(photo.quantize(16), kind, transparency=3),
            saved(Image.fromarray(levels), kind),
            saved(photo, kind, **animation),
        ]
    if kind == "HEIF":
        return [saved(photo, kind, **extras), saved(alpha, kind)]
    return [saved(photo, kind, **extras), saved(alpha, kind), saved(photo, kind, **animation)]


def mutated(kind: str, generator: random.Random) -> bytes:
    """A file with some of its bytes changed, extremes put in, parts cut, doubled or removed."""
    data = bytearray(generator.choice(originals(kind)))
    # Half of the time where headers are: changed pixels alone are rarely noticed.
    reach = len(data) if generator.random() < 0.5 else min(len(data), 400)
    for _ in range(generator.choice((1, 1, 2, 4, 16))):
        at = generator.randrange(reach)
        match generator.randrange(8):
            case 0 | 1 | 2:
                data[at : at + 1] = generator.randbytes(1)
            case 3:
                data[at : at + 1] = bytes([data[at] ^ 1 << generator.randrange(8)]) if at < len(data) else b""
            case 4:
                width = generator.choice((1, 2, 4))
                data[at : at + width] = generator.choice((b"\x00", b"\xff", b"\x7f", b"\x80")) * width
            case 5:
                data[at:at] = data[at : at + generator.randrange(1, 64)]
            case 6:
                del data[at : at + generator.randrange(1, 32)]
            case _:
                del data[generator.randrange(at, len(data) + 1) :]
        reach = min(reach, len(data)) or 1
    return bytes(data)


def files(kinds: tuple[str, ...], start: int, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Mutated files with their kind: number `start` and the following ones of this seed."""
    for number in range(start, start + count):
        kind = kinds[number % len(kinds)]
        yield kind, mutated(kind, random.Random(f"{seed}/{number}"))


def outcome(data: bytes, *, heic: bool = False) -> str:
    """What becomes of a file: "a picture", the name of our error, or that of one which is not ours."""
    try:
        decoded: Decoded = decode(data, heic=heic)
    except ImageError as error:
        return type(error).__name__
    except Exception as error:  # what this looks for
        return f"NOT OURS: {error!r}"
    expected = (3, decoded.size[1], decoded.size[0])
    return "a picture" if tuple(decoded.rgb.shape) == expected else "NOT OURS: wrong shape"


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
