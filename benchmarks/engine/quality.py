"""Delivered loss against seconds: our transfer, plain Gatys, its box-constrained twin, Adam with averaging.

    python -m benchmarks quality [--pairs FOLDER] [--only NAME] [--size 256] [--evaluations 500] [--adam]

FOLDER has photos/ and styles/, as examples/ does: every photograph is painted in every style, up to --limit pairs.
Delivered means clamped, rounded to 8 bits, measured again. Time spent on measuring is not counted. It writes a table,
a contact sheet, a plot of delivered loss over seconds for each pair, and the numbers as JSON.
"""

import json
import statistics
from dataclasses import dataclass, field, replace
from pathlib import Path

import click
import matplotlib
import torch
from matplotlib import pyplot
from PIL import Image
from torch import Tensor

from benchmarks.engine.methods import METHODS, Clock, Pair, full_size_objective
from devtools.sheet import Cell, Row, draw
from service.images import decode
from service.style import resample
from service.style.loss.objective import Losses, Objective
from service.style.network import with_precision
from service.style.network.vgg import VGG
from service.style.options import Options
from service.weights import load

matplotlib.use("Agg")  # files, no window

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
LOOKS = [1, 2, 3, 5, 7, 10, 14, 20, 28, 40, 56, 80, 100, 120, 160, 200, 240, 300, 350, 400, 450, 500]
GOAL_PLAIN, GOAL_BOXED, SLACK = 1 / 100, 1 / 10, 1.05


@dataclass
class Curve:
    """One run: (seconds, evaluations, delivered loss) at some evaluations, the last picture and its losses."""

    points: list[tuple[float, int, float]] = field(default_factory=list)
    picture: Tensor | None = None
    losses: Losses | None = None

    @property
    def seconds(self) -> float:
        """Of the whole run."""
        return self.points[-1][0]

    @property
    def loss(self) -> float:
        """Of what the run delivered."""
        return self.points[-1][2]


def read(path: Path) -> Tensor:
    """As the service reads it, uint8 (3, H, W)."""
    return decode(path.read_bytes()).rgb


def pairs_of(folder: Path, limit: int, only: str = "") -> list[Pair]:
    """Photographs and styles whose name contains `only`, in an order that uses each before any is used twice."""
    photos, styles = (
        sorted(path for path in (folder / name).iterdir() if path.suffix.lower() in SUFFIXES)
        for name in ("photos", "styles")
    )
    chosen = [
        (photos[i % len(photos)], style)
        for turn in range(len(photos))
        for i, style in enumerate(styles, start=turn)
    ]
    named = [(f"{p.stem} + {s.stem}", p, s) for p, s in chosen if only in f"{p.stem} + {s.stem}"]
    return [Pair(name, read(p), read(s)) for name, p, s in named[:limit]]


def run(network: VGG, pair: Pair, method: str, options: Options, *, exact: VGG | None = None) -> Curve:
    """One method on one pair, its delivered loss measured along the way with `exact`, in float32."""
    objective = full_size_objective(exact or network, pair, options)
    size = resample.fit(pair.photograph.shape[-2], pair.photograph.shape[-1], options.size)
    clock, curve = Clock(), Curve()
    last = None
    for step in METHODS[method](network, pair, options, clock):
        last = step
        if step.evaluations in LOOKS:
            began = clock()
            picture = step.picture()
            if picture.shape[-2:] == size:
                curve.points.append((step.seconds, step.evaluations, delivered(objective, picture).total))
            clock.leave_out(clock() - began)
    assert last is not None
    picture = last.picture()
    curve.picture = resample.quantise(picture)
    curve.losses = delivered(objective, picture)
    curve.points.append((last.seconds, last.evaluations, curve.losses.total))
    return curve


def delivered(objective: Objective, picture: Tensor) -> Losses:
    """The losses of the 8-bit picture, in the paper's units."""
    return objective.losses(resample.dequantise(resample.quantise(picture)))


def plot(curves: dict[str, Curve], title: str, path: Path) -> None:
    """Delivered loss over seconds, both on log scales."""
    figure, axes = pyplot.subplots(figsize=(8, 5))
    for name, curve in curves.items():
        seconds, _, losses = zip(*curve.points, strict=True)
        axes.plot(seconds, losses, marker=".", label=f"{name}, {curve.points[-1][1]} evaluations")
    axes.set(xscale="log", yscale="log", xlabel="seconds", ylabel="delivered loss", title=title)
    axes.legend()
    axes.grid(which="both", alpha=0.2)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def sheet(rows: list[tuple[str, list[tuple[str, Tensor]]]], path: Path) -> None:
    """Pictures in rows, each with its caption, as wide as the widest of them."""
    width = max(picture.shape[2] for _, cells in rows for _, picture in cells)
    drawn = [
        Row(name, [Cell(_image(picture), caption) for caption, picture in cells]) for name, cells in rows
    ]
    draw(path.stem, drawn, width).save(path)


def _image(picture: Tensor) -> Image.Image:
    return Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())


@click.command(help=__doc__)
@click.option("--pairs", default="examples", type=click.Path(exists=True, path_type=Path), show_default=True)
@click.option("--only", default="", help="pairs whose name contains this, such as 'chelsea + stained-glass'")
@click.option("--limit", default=6, show_default=True, help="how many pairs")
@click.option("--size", default=256, show_default=True)
@click.option("--evaluations", default=500, show_default=True, help="of plain Gatys and its twin")
@click.option("--adam", is_flag=True, help="Adam with averaging too")
@click.option("--weights", default="weights", show_default=True)
@click.option("--backbone", default="vgg16", show_default=True)
@click.option("--out", default="out/bench", type=click.Path(path_type=Path), show_default=True)
def main(
    pairs: Path,
    only: str,
    limit: int,
    size: int,
    evaluations: int,
    adam: bool,
    weights: str,
    backbone: str,
    out: Path,
) -> None:
    network = load(backbone, Path(weights)).network  # float32: as the field computes
    fast = with_precision(network)  # as the service computes
    out.mkdir(parents=True, exist_ok=True)
    base, theirs = Options(size=size), Options(size=size, iterations=evaluations)
    ratios: dict[str, list[float]] = {}
    rows, record = [], []
    print(f"{size} px, {backbone}, {fast.dtype} for ours, {torch.get_num_threads()} threads")
    print(
        f"{'pair':40} {'method':22} {'seconds':>8} {'evals':>6} {'content':>10} {'style':>10} {'total':>10}"
    )

    def report(pair: Pair, name: str, curve: Curve, note: str = "") -> None:
        seconds, count, loss = curve.points[-1]
        assert curve.losses is not None
        parts = f"{curve.losses.content:10.4g} {curve.losses.style:10.4g} {loss:10.4g}"
        print(f"{pair.name:40} {name:22} {seconds:8.2f} {count:6d} {parts}  {note}", flush=True)

    for pair in pairs_of(pairs, limit, only):
        ours_curve = run(fast, pair, "ours", base, exact=network)
        report(pair, "ours, default", ours_curve)
        cells = [("ours, default", ours_curve)]
        curves = {"ours, default": ours_curve}
        for name, part, slack in (("plain", GOAL_PLAIN, 1.0), ("boxed", GOAL_BOXED, SLACK)):
            curve = run(network, pair, name, theirs)
            report(pair, name, curve)
            budget = part * curve.seconds
            short = run(fast, pair, "ours", replace(base, budget=budget), exact=network)
            ratio = short.loss / (slack * curve.loss)
            ratios.setdefault(name, []).append(ratio)
            report(pair, f"ours in {part:g} of that", short, f"{ratio:.3f} of {slack:g} x {name}'s loss")
            cells += [(name, curve), (f"ours, {short.seconds:.1f} s", short)]
            curves |= {name: curve, f"ours in {part:g} of {name}'s time": short}
        if adam:
            curve = run(network, pair, "adam", theirs)
            report(pair, "adam", curve)
            cells.append(("adam", curve))
            curves["adam"] = curve
        record.append({"pair": pair.name, "curves": {name: curve.points for name, curve in curves.items()}})
        plot(curves, f"{pair.name}, {size} px", out / f"{pair.name.replace(' ', '')}.png")
        rows.append((pair.name, [(n, c.picture) for n, c in cells if c.picture is not None]))
        sheet(rows, out / "sheet.png")
        (out / "curves.json").write_text(json.dumps(record))
    for name, part, slack in (("plain", GOAL_PLAIN, 1.0), ("boxed", GOAL_BOXED, SLACK)):
        print(
            f"ours in {part:g} of {name}'s time: median {statistics.median(ratios[name]):.3f} of {slack:g} times "
            f"its delivered loss, and 1 or less on {sum(r <= 1 for r in ratios[name])} of {len(rows)} pairs"
        )


if __name__ == "__main__":
    main()
