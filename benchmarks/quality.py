"""Delivered loss against seconds: our transfer, plain Gatys, its box-constrained twin, Adam with averaging.

    python -m benchmarks.quality [--pairs FOLDER] [--size 256] [--evaluations 500] [--methods ours,plain,boxed]

FOLDER has photos/ and styles/, as examples/ does: every photograph is painted in every style, up to --limit pairs.
Delivered means clamped, rounded to 8 bits, measured again. Time spent on measuring is not counted.
"""

import itertools
import json
import statistics
from dataclasses import dataclass, field
from pathlib import Path

import click
import torch
from PIL import Image, ImageDraw, ImageOps
from torch import Tensor

from benchmarks.methods import METHODS, Clock, Pair, full_size_objective, with_default
from service.style import resample
from service.style.objective import Objective
from service.style.options import Options
from service.style.vgg import VGG
from service.weights import load

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
LOOKS = [1, 2, 3, 5, 7, 10, 14, 20, 28, 40, 56, 80, 100, 120, 160, 200, 240, 300, 350, 400, 450, 500]
GOAL_PLAIN, GOAL_BOXED, SLACK = 1 / 100, 1 / 10, 1.05


@dataclass
class Curve:
    """One run: (seconds, evaluations, delivered loss) at some evaluations, and the last picture."""

    points: list[tuple[float, int, float]] = field(default_factory=list)
    picture: Tensor | None = None

    def seconds_to(self, loss: float) -> float | None:
        """Seconds until the delivered loss was this or less; None if it never was."""
        return next((seconds for seconds, _, reached in self.points if reached <= loss), None)


def read(path: Path) -> Tensor:
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return pixels.view(image.height, image.width, 3).permute(2, 0, 1)


def pairs_of(folder: Path, limit: int) -> list[Pair]:
    """Photographs and styles, in an order that uses each before any is used twice."""
    photos, styles = (
        sorted(path for path in (folder / name).iterdir() if path.suffix.lower() in SUFFIXES)
        for name in ("photos", "styles")
    )
    chosen = [
        (photos[i % len(photos)], style)
        for turn in range(len(photos))
        for i, style in enumerate(styles, start=turn)
    ]
    return [Pair(f"{p.stem} + {s.stem}", read(p), read(s)) for p, s in chosen[:limit]]


def run(network: VGG, pair: Pair, method: str, options: Options) -> Curve:
    """One method on one pair, its delivered loss measured along the way."""
    objective = full_size_objective(network, pair, options)
    size = resample.fit(pair.photograph.shape[-2], pair.photograph.shape[-1], options.size)
    clock, curve = Clock(), Curve()
    last = None
    for step in METHODS[method](network, pair, options, clock):
        last = step
        if step.evaluations in LOOKS or method == "ours":
            began = clock()
            picture = step.picture()
            if picture.shape[-2:] == size:
                curve.points.append((step.seconds, step.evaluations, delivered(objective, picture)))
            clock.leave_out(clock() - began)
    assert last is not None
    curve.picture = resample.quantise(last.picture())
    return curve


def delivered(objective: Objective, picture: Tensor) -> float:
    """The loss of the 8-bit picture."""
    return objective.losses(resample.dequantise(resample.quantise(picture))).total


def sheet(rows: list[tuple[str, list[tuple[str, Tensor]]]], path: Path) -> None:
    """Pictures in rows, each with its caption."""
    width = max(p.shape[2] for _, cells in rows for _, p in cells)
    height = max(p.shape[1] for _, cells in rows for _, p in cells)
    columns = max(len(cells) for _, cells in rows)
    canvas = Image.new("RGB", (columns * (width + 8) + 8, len(rows) * (height + 28) + 8), "white")
    draw = ImageDraw.Draw(canvas)
    for (row, (name, cells)), (column) in itertools.product(enumerate(rows), range(columns)):
        if column >= len(cells):
            continue
        caption, picture = cells[column]
        corner = (8 + column * (width + 8), 8 + row * (height + 28))
        draw.text(corner, f"{name}: {caption}", fill="black")
        image = Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())
        canvas.paste(image, (corner[0], corner[1] + 16))
    canvas.save(path)


@click.command(help=__doc__)
@click.option("--pairs", default="examples", type=click.Path(exists=True, path_type=Path), show_default=True)
@click.option("--limit", default=6, show_default=True, help="how many pairs")
@click.option("--size", default=256, show_default=True)
@click.option("--evaluations", default=500, show_default=True, help="of every method but ours")
@click.option("--methods", default="ours,plain,boxed", show_default=True)
@click.option("--weights", default="weights", show_default=True)
@click.option("--backbone", default="vgg16", show_default=True)
@click.option("--out", default="out/bench", type=click.Path(path_type=Path), show_default=True)
def main(
    pairs: Path,
    limit: int,
    size: int,
    evaluations: int,
    methods: str,
    weights: str,
    backbone: str,
    out: Path,
) -> None:
    network = load(backbone, Path(weights)).network
    out.mkdir(parents=True, exist_ok=True)
    names = methods.split(",")
    record, rows = [], []
    ratios: dict[str, list[float]] = {"plain": [], "boxed": []}
    print(f"{'pair':44} {'method':7} {'seconds':>8} {'evals':>6} {'delivered':>10}   ours is there after")
    for pair in pairs_of(pairs, limit):
        curves = {
            name: run(network, pair, name, with_default(Options(size=size), name, evaluations))
            for name in names
        }
        for name, curve in curves.items():
            seconds, count, loss = curve.points[-1]
            note = ""
            if name in ratios and "ours" in curves:
                goal = loss * (SLACK if name == "boxed" else 1)
                reached = curves["ours"].seconds_to(goal)
                ratios[name].append(reached / seconds if reached else float("inf"))
                note = f"{reached:.2f} s = 1/{seconds / reached:.0f}" if reached else "never"
            print(f"{pair.name:44} {name:7} {seconds:8.2f} {count:6d} {loss:10.4g}   {note}", flush=True)
        record.append({"pair": pair.name, "curves": {name: curve.points for name, curve in curves.items()}})
        cells = [(name, curve.picture) for name, curve in curves.items() if curve.picture is not None]
        rows.append((pair.name, cells))
        sheet(rows, out / "sheet.png")
        (out / "curves.json").write_text(json.dumps(record))
    for name, goal in (("plain", GOAL_PLAIN), ("boxed", GOAL_BOXED)):
        if ratios[name]:
            median = statistics.median(ratios[name])
            print(f"median time to {name}'s loss: {median:.4f} of its time (goal {goal})")


if __name__ == "__main__":
    main()
