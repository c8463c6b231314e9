"""Everything that is to be known about a GPU, checked and timed by one command, in less than 8 minutes.

    python -m benchmarks gpu [--device cuda] [--backbone auto] [--minutes 8] [--only evaluations --only requests]

It needs what the service needs, since it paints with the service's own model, and no network. Missing weights
are replaced by random ones of VGG-19's shape: they will do for the speed, and their losses mean nothing.
A part that fails says so, and the next one begins. At the end the goals: what was found, and whether they are met.
"""

import tempfile
from pathlib import Path
from typing import Literal

import click
import torch

from benchmarks.engine.gpu.bench import FULL, TINY, Bench
from benchmarks.engine.gpu.goals import summary
from benchmarks.engine.gpu.parts import PARTS, run
from devtools.weights import random_weights
from service.weights import available, load


@click.command(help=__doc__)
@click.option(
    "--device", "kind", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True
)
@click.option("--tiny", is_flag=True, help="just enough to see that everything works")
@click.option(
    "--backbone", default="auto", show_default=True, help="vgg16, vgg19, random; auto: what there is"
)
@click.option("--weights", default="weights", type=click.Path(path_type=Path), show_default=True)
@click.option("--minutes", default=8.0, show_default=True, help="after which nothing more is begun")
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
    random = backbone == "random" or (backbone == "auto" and not available(weights))
    with tempfile.TemporaryDirectory() as folder:
        if random:
            backbone = str(Path(folder) / "random.pth")
            random_weights(Path(backbone))
        loaded = load(backbone, weights)
        unit = torch.cuda.get_device_name() if kind == "cuda" else f"CPU, {torch.get_num_threads()} threads"
        print(f"{unit}, torch {torch.__version__}, {loaded.network.arch} ({loaded.name})")
        scope = TINY if tiny else FULL
        bench = Bench(scope, loaded.network.to(kind), backbone, weights.resolve(), random)
        rows, missing = run(bench, parts or list(PARTS), minutes)
    print("\ngoals")
    for line in summary(rows, random=random):
        print(f"  {line}")
    if missing:
        raise click.ClickException(f"without {', '.join(missing)}")


if __name__ == "__main__":
    main()
