"""Everything that is to be known about a GPU, checked and timed by one command, in less than 8 minutes.

    python -m benchmarks.gpu [--device cuda] [--backbone auto] [--minutes 8] [--only evaluations --only requests]

It needs what the service needs, and no network. Weights that are not there are replaced by random ones of VGG-19's
shape: those will do for the speed, and their losses mean nothing. A part that fails says so, and the next one begins.
"""

import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import click
import torch

from benchmarks import closed_loop, delivered, device
from benchmarks.methods import Pair
from examples.server import running
from service.images import decode
from service.style.graphs import LARGEST, Graphs
from service.style.options import Options
from service.style.precision import Precision, with_precision
from service.style.vgg import BLOCKS, CHANNELS, VGG
from service.weights import available, load

EXAMPLES = Path("examples")
PAIRS = (("chelsea", "stained-glass"), ("astronaut", "starfield-strokes"), ("rocket", "sepia-valley"))
WITHIN = 0.02
"""How far the delivered loss of a precision may be from that of float32."""


class Scope(NamedTuple):
    """How much is measured: on a GPU, or just enough to see that all of it works.

    Attributes:
        matrix: side of the matrices whose product is timed.
        numbers: that are copied.
        sizes: of evaluations, px.
        seconds: of each measurement.
        batches: pictures at once; of `size`.
        size: of pictures whose loss counts, px.
        seeds: of each pair.
        evaluations: of plain Gatys and its twin.
        pairs: how many, of PAIRS.
        requests: their sizes, px.
        clients: at once.
        load_seconds: of requests of each size, half of it of each number of clients.
    """

    matrix: int
    numbers: int
    sizes: tuple[int, ...]
    seconds: float
    batches: tuple[int, ...]
    size: int
    seeds: int
    evaluations: int
    pairs: int
    requests: tuple[int, ...]
    clients: tuple[int, ...]
    load_seconds: float


FULL = Scope(
    8192,
    2**29,
    (256, 512, 1024, 2048, 4096),
    0.5,
    (1, 2, 4, 8),
    512,
    2,
    500,
    3,
    (512, 1024),
    (1, 2, 4, 8),
    20.0,
)
TINY = Scope(64, 2**12, (32, 64), 0.001, (1, 2), 48, 1, 3, 1, (48, 64), (1, 2), 0.0)


@dataclass(frozen=True)
class Bench:
    """What the parts work on.

    Attributes:
        scope: how much.
        network: in float32, on its device.
        backbone: what the service is to load: a name or a file.
        weights: the folder of the names.
    """

    scope: Scope
    network: VGG
    backbone: str
    weights: Path

    @property
    def device(self) -> torch.device:
        """Of the network."""
        return self.network.device

    @property
    def precisions(self) -> tuple[Precision, ...]:
        """The first is what the others are compared with."""
        return ("fp32", "tf32", "bf16") if self.device.type == "cuda" else ("fp32", "bf16")

    def pairs(self) -> list[Pair]:
        """Pictures of the examples, on the device."""
        return [
            Pair(
                f"{photo} + {style}",
                decode((EXAMPLES / "photos" / f"{photo}.jpg").read_bytes()).rgb.to(self.device),
                decode((EXAMPLES / "styles" / f"{style}.jpg").read_bytes()).rgb.to(self.device),
            )
            for photo, style in PAIRS[: self.scope.pairs]
        ]


def evaluations(bench: Bench) -> Iterator[str]:
    """Ceilings, then evaluations of loss and gradient against them."""
    scope = bench.scope
    best = device.ceilings(bench.device, scope.matrix, scope.numbers, scope.seconds)
    reached = ", ".join(f"{name} {rate / 1e12:.1f}" for name, rate in best.products.items())
    yield f"ceilings: products of side {scope.matrix} in TFLOP/s: {reached}; copy {best.copy / 1e9:.0f} GB/s"
    yield "precision   px     GFLOP        ms  of ceiling  host ms  host part  with step ms  peak GiB"
    for precision in reversed(bench.precisions):
        yield from _evaluations(bench, precision, best)
    if bench.device.type == "cuda":
        yield "the same as CUDA graphs:"
        graphs = Graphs()
        yield from _evaluations(bench, "bf16", best, graphs)
        if not len(graphs):
            yield "none was recorded: the numbers are those of evaluations without"
    yield f"goal: 512 px in bf16 in at most 1 ms; host part below 5 %; {_cudnn()}"


def _evaluations(
    bench: Bench, precision: Precision, best: device.Ceilings, graphs: Graphs | None = None
) -> Iterator[str]:
    network = with_precision(bench.network, precision)
    for size in bench.scope.sizes:
        if graphs is not None and size**2 > LARGEST:
            continue
        try:
            cost = device.evaluation(network, size, bench.scope.seconds, graphs)
        except torch.OutOfMemoryError:
            yield f"{precision:9} {size:4}  out of memory"
            continue
        part = cost.operations / cost.seconds / best.products[precision]
        peak = "-" if cost.peak is None else f"{cost.peak / 2**30:.2f}"
        yield (
            f"{precision:9} {size:4} {cost.operations / 1e9:9.1f} {cost.seconds * 1e3:9.3f} {part:11.1%} "
            f"{cost.launch * 1e3:8.3f} {cost.launch / cost.seconds:10.1%} {cost.step * 1e3:13.3f} {peak:>9}"
        )


def batches(bench: Bench) -> Iterator[str]:
    """Convolutions of one and of several pictures at once."""
    network = with_precision(bench.network, "auto")
    rates = list(device.batches(network, bench.scope.size, bench.scope.batches, bench.scope.seconds))
    yield f"convolutions of evaluations a second, {bench.scope.size} px, {network.dtype}: " + ", ".join(
        f"{count} at once {rate:.0f} ({rate / rates[0][1]:.2f}x)" for count, rate in rates
    )


def precisions(bench: Bench) -> Iterator[str]:
    """Delivered losses of each precision."""
    scope, pairs = bench.scope, bench.pairs()
    found = delivered.precisions(
        bench.network, pairs, Options(size=scope.size), bench.precisions, scope.seeds
    )
    for name, ratios in found:
        mean = sum(ratios) / len(ratios)
        verdict = "within" if abs(mean - 1) <= WITHIN else "NOT within"
        yield (
            f"delivered loss in {name}: {mean:.4f} of {bench.precisions[0]}'s on average of {len(ratios)} "
            f"({min(ratios):.4f} to {max(ratios):.4f}), {verdict} {WITHIN:.0%}"
        )


def race(bench: Bench) -> Iterator[str]:
    """Time to the delivered loss of plain Gatys, and of its twin."""
    scope = bench.scope
    for found in delivered.race(bench.network, bench.pairs()[0], Options(size=scope.size), scope.evaluations):
        yield (
            f"{found.method}: {scope.evaluations} evaluations at {scope.size} px in fp32 take "
            f"{found.seconds:.2f} s and deliver {found.loss:.4g}"
        )
        if found.ours is None:
            yield f"  not reached in half of that time: {found.ratio:.3f} of its loss"
        else:
            part = found.seconds / found.ours
            yield f"  reached in {found.ours:.3f} s, 1/{part:.0f}: {found.ratio:.3f} of its loss"
    yield "goal: plain's loss in at most 1/200 of its time"


def requests(bench: Bench) -> Iterator[str]:
    """Whole requests through gunicorn: one client, then several."""
    scope = bench.scope
    files = {
        "content": (EXAMPLES / "photos" / "chelsea.jpg").read_bytes(),
        "style": (EXAMPLES / "styles" / "stained-glass.jpg").read_bytes(),
    }
    settings = {
        "STYLIZE_DEVICE": bench.device.type,
        "STYLIZE_BACKBONE": bench.backbone,
        "STYLIZE_WEIGHTS_DIR": str(bench.weights),
        "STYLIZE_QUEUE_SIZE": str(max(scope.clients)),
    }
    yield from _requests(files, settings, scope, scope.clients)
    yield "the same with STYLIZE_CUDA_GRAPHS:"
    yield from _requests(files, settings | {"STYLIZE_CUDA_GRAPHS": "true"}, scope, ())
    yield "goal: 512 px in a p50 of at most 0.5 s"


def _requests(
    files: dict[str, bytes], settings: dict[str, str], scope: Scope, several: tuple[int, ...]
) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        try:
            began = time.monotonic()
            with running(log, **settings) as url:
                yield f"the service is ready after {time.monotonic() - began:.1f} s"
                for size in scope.requests:
                    closed_loop.load(url, files, clients=1, seconds=0, most=2, size=size)  # not counted
                    found = closed_loop.load(
                        url, files, clients=1, seconds=scope.load_seconds, most=100, size=size
                    )
                    yield (
                        f"requests of {size} px: p50 {found.percentile(0.5):.3f} s, "
                        f"p99 {found.percentile(0.99):.3f} s of {len(found.seconds)}{_unanswered(found)}"
                    )
                for count in several:
                    found = closed_loop.load(
                        url,
                        files,
                        clients=count,
                        seconds=scope.load_seconds / 2,
                        most=100,
                        size=scope.requests[0],
                    )
                    yield (
                        f"{count} clients, {scope.requests[0]} px: {found.rate:.2f} pictures a second, "
                        f"p50 {found.percentile(0.5):.3f} s{_unanswered(found)}"
                    )
        except SystemExit:  # it did not start, or end, as it should: its log says why
            yield log.read_text()[-2000:]
            raise


PARTS: dict[str, Callable[[Bench], Iterator[str]]] = {
    "evaluations": evaluations,
    "race": race,
    "requests": requests,
    "precisions": precisions,
    "batches": batches,
}


def random_weights(path: Path) -> None:
    """A file of random weights of VGG-19's shape, with torchvision's names."""
    generator = torch.Generator().manual_seed(0)
    tensors, number, incoming = {}, 0, 3
    for count, outgoing in zip(BLOCKS["vgg19"], CHANNELS, strict=True):
        for _ in range(count):
            kernel = torch.randn(outgoing, incoming, 3, 3, generator=generator) * (2 / (9 * incoming)) ** 0.5
            tensors[f"features.{number}.weight"] = kernel
            tensors[f"features.{number}.bias"] = torch.randn(outgoing, generator=generator) * 0.1
            number, incoming = number + 2, outgoing  # a ReLU after each
        number += 1  # a pooling
    torch.save(tensors, path)


def run(bench: Bench, parts: list[str], minutes: float) -> list[str]:
    """Run the parts, print what they say, and return the names of those that failed or were left out."""
    end = time.monotonic() + 60 * minutes
    missing = []
    for name in parts:
        began = time.monotonic()
        print(f"\n{name}", flush=True)
        if began >= end:
            print(f"  left out: {minutes:g} minutes are over", flush=True)
            missing.append(name)
            continue
        try:
            for line in PARTS[name](bench):
                print(f"  {line}", flush=True)
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            print(f"  failed: {type(error).__name__}: {error}", flush=True)
            missing.append(name)
        finally:
            if bench.device.type == "cuda":
                torch.cuda.empty_cache()
        print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    return missing


def _cudnn() -> str:
    return f"cudnn.benchmark is {'on' if torch.backends.cudnn.benchmark else 'off'}"


def _unanswered(load: closed_loop.Load) -> str:
    return f"; other answers: {load.others}" if load.others else ""


@click.command(help=__doc__)
@click.option(
    "--device", "kind", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True
)
@click.option("--tiny", is_flag=True, help="just enough to see that everything works")
@click.option(
    "--backbone", default="auto", show_default=True, help="vgg16, vgg19, random; auto: what there is"
)
@click.option("--weights", default="weights", type=click.Path(path_type=Path), show_default=True)
@click.option("--minutes", default=8.0, show_default=True, help="after which no further part begins")
@click.option("--only", "parts", multiple=True, type=click.Choice(list(PARTS)), help="these parts")
def main(
    kind: Literal["auto", "cpu", "cuda"],
    tiny: bool,
    backbone: str,
    weights: Path,
    minutes: float,
    parts: tuple[str, ...],
) -> None:
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "cpu"
    with tempfile.TemporaryDirectory() as folder:
        if backbone == "random" or (backbone == "auto" and not available(weights)):
            backbone = str(Path(folder) / "random.pth")
            random_weights(Path(backbone))
        loaded = load(backbone, weights)
        unit = torch.cuda.get_device_name() if kind == "cuda" else f"CPU, {torch.get_num_threads()} threads"
        print(f"{unit}, torch {torch.__version__}, {loaded.network.arch} ({loaded.name})")
        bench = Bench(TINY if tiny else FULL, loaded.network.to(kind), backbone, weights.resolve())
        missing = run(bench, list(parts or PARTS), minutes)
    if missing:
        raise click.ClickException(f"without {', '.join(missing)}")


if __name__ == "__main__":
    main()
