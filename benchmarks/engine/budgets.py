"""Whole requests through HTTP: the default ones, and budgets at several sizes.

    python -m benchmarks budgets [--size 128 --size 256] [--budget 2 --budget 5 --budget 10 --budget 30]

It starts the service, POSTs a pair from examples/ as a client would, and prints for each request how long the answer
took, how much over its budget that is, the evaluations, the delivered loss, and why it stopped. The
pictures are on a contact sheet.
"""

import base64
import io
import statistics
import time
from pathlib import Path
from typing import Any, NamedTuple

import click
import requests
from PIL import Image

from devtools.running import RealServer
from devtools.sheet import Cell, Row, draw

EXAMPLES = Path("examples")
ALLOWED = 0.05, 0.1  # of the budget, seconds: the larger of both may be exceeded


class Answer(NamedTuple):
    """What came back."""

    seconds: float
    report: dict[str, Any]
    picture: Image.Image


def post(url: str, photo: Path, artwork: Path, **options: float) -> Answer:
    """POST /stylize, timed as the client sees it."""
    began = time.perf_counter()
    with photo.open("rb") as content, artwork.open("rb") as style:
        response = requests.post(
            f"{url}/stylize",
            files={"content": content, "style": style},
            data={name: str(value) for name, value in options.items()},
            headers={"Accept": "application/json"},
            timeout=600,
        )
    seconds = time.perf_counter() - began
    response.raise_for_status()
    report = response.json()
    return Answer(seconds, report, Image.open(io.BytesIO(base64.b64decode(report["image"]))).convert("RGB"))


@click.command(help=__doc__)
@click.option("--size", "sizes", type=int, multiple=True, default=(128, 256, 512), show_default=True)
@click.option("--budget", "budgets", type=float, multiple=True, default=(2, 5, 10, 30), show_default=True)
@click.option("--photo", default="chelsea", show_default=True)
@click.option("--style", default="stained-glass", show_default=True)
@click.option("--repeats", default=5, show_default=True, help="default requests of each size")
@click.option("--out", default="out/budgets", type=click.Path(path_type=Path), show_default=True)
def main(
    sizes: tuple[int, ...], budgets: tuple[float, ...], photo: str, style: str, repeats: int, out: Path
) -> None:
    pictures = EXAMPLES / "photos" / f"{photo}.jpg", EXAMPLES / "styles" / f"{style}.jpg"
    rows: dict[int, dict[str, Image.Image]] = {size: {} for size in sizes}
    late = 0
    with RealServer(out / "service.log") as server:
        print(f"{'size':>5} {'budget':>7} {'answer':>7} {'over':>7} {'evals':>6} {'delivered':>10}  stopped")
        for size in sizes:
            for budget in budgets:
                answer = post(server.url, *pictures, size=size, budget=budget)
                over = answer.seconds - budget
                late += over > max(ALLOWED[0] * budget, ALLOWED[1])
                report = answer.report
                print(
                    f"{size:5d} {budget:6g}s {answer.seconds:6.2f}s {over:+6.2f}s {report['evaluations']:6d} "
                    f"{report['losses']['total']:10.4g}  {report['stopped']}",
                    flush=True,
                )
                rows[size][f"{budget:g} s"] = answer.picture
        print(f"{late} of {len(sizes) * len(budgets)} later than allowed (5 %, or 100 ms)")
        for size in sizes:
            answers = [post(server.url, *pictures, size=size) for _ in range(repeats)]
            seconds = sorted(answer.seconds for answer in answers)
            print(
                f"{size:5d} default p50 {statistics.median(seconds):.2f} s, worst {seconds[-1]:.2f} s, "
                f"{answers[0].report['evaluations']} evaluations, {answers[0].report['losses']['total']:.4g}"
            )
            rows[size]["default"] = answers[0].picture
    sheet = [
        Row(f"{size} px", [Cell(picture, caption) for caption, picture in row.items()])
        for size, row in rows.items()
    ]
    draw("What a budget buys", sheet, 300).save(out / "sheet.png")


if __name__ == "__main__":
    main()
