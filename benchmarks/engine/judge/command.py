"""Pictures of many pairs, judged: a table, contact sheets, and a page for blind choices.

    python -m benchmarks judge [--ours "strength=0.7 pooling=max"] [--against plain] [--against PATH] [--pairs 12]

Ours by default is always judged; each --ours adds ours with other options. --against is `plain` (plain Gatys),
`noise` (ours from the paper's start), a checkout of another version, or a folder of finished pictures, named
PHOTOGRAPH+ARTWORK.png. Pairs are those of examples/ and of each --folder, which has photos/ and styles/. What was
painted is kept in --out: a run that was stopped goes on where it was.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from PIL import Image

from benchmarks.engine.judge.blind import Comparison, page
from benchmarks.engine.judge.measures.judge import MEASURES, Judge
from benchmarks.engine.judge.painters import Method, Painter, painter_of
from benchmarks.engine.judge.pairs import Pair, pairs_of
from benchmarks.engine.judge.store import Judged, Store
from benchmarks.engine.judge.table import printed, table
from devtools.sheet import Cell, Row, draw
from service.intake import OptionsError
from service.style.network import with_precision
from service.weights import load

ROWS = 6
"""Pairs on a contact sheet."""

Results = dict[str, dict[str, list[Judged]]]


@click.command(help=__doc__)
@click.option("--pairs", "limit", type=int, help="judge the first so many only")
@click.option("--only", default="", help="pairs whose name contains this, such as chelsea+stained-glass")
@click.option("--folder", "folders", multiple=True, type=click.Path(exists=True, path_type=Path))
@click.option("--ours", "variants", multiple=True, help="options of ours, as NAME=VALUE NAME=VALUE")
@click.option("--against", multiple=True, help="plain, noise, a checkout, or a folder of pictures")
@click.option("--size", default=256, show_default=True)
@click.option("--seeds", default=3, show_default=True)
@click.option("--evaluations", default=500, show_default=True, help="of plain and noise")
@click.option("--backbone", default="vgg16", show_default=True)
@click.option("--weights", default="weights", type=click.Path(path_type=Path), show_default=True)
@click.option("--out", default="out/judge", type=click.Path(path_type=Path), show_default=True)
def main(
    limit: int | None,
    only: str,
    folders: tuple[Path, ...],
    variants: tuple[str, ...],
    against: tuple[str, ...],
    size: int,
    seeds: int,
    evaluations: int,
    backbone: str,
    weights: Path,
    out: Path,
) -> None:
    network = load(backbone, weights)
    try:
        painters: list[Painter] = [Method("ours", "ours", network)]
        painters += [Method(f"ours {words}", "ours", network, words) for words in variants]
        painters += [painter_of(word, network, weights, evaluations) for word in against]
        pairs = [
            pair for folder in (Path("examples"), *folders) for pair in pairs_of(folder) if only in pair.name
        ]
        for painter in painters:
            painter.settings  # noqa: B018  # wrong options are told now, not after the first pictures
    except (ValueError, OSError, OptionsError) as error:
        raise click.ClickException(str(error)) from error
    exact = with_precision(network.network, "fp32")
    store = Store(out / "pictures")
    results: Results = {painter.name: {} for painter in painters}
    judged = pairs[:limit]
    for number, pair in enumerate(judged, 1):
        judges: dict[tuple[int, int], Judge] = {}
        for painter in painters:
            for seed in range(seeds if painter.seeded else 1):
                path = store.picture(painter, pair, size, seed)
                if path is None:
                    continue
                with_precision(network.network, "fp32")  # the switch of the process too
                shape = _shape(path)
                if shape not in judges:
                    judges[shape] = Judge(exact, *pair.pictures, shape)
                results[painter.name].setdefault(pair.name, []).append(store.judged(path, judges[shape]))
        click.echo(f"{number} of {len(judged)}: {pair.name}", err=True)
        write(results, judged[:number], out)
    click.echo(printed(table(results)))
    click.echo("\n" + "\n".join(f"{name}: {meaning}" for name, meaning in MEASURES.items()))


def write(results: Results, pairs: Sequence[Pair], out: Path) -> None:
    """The table, the numbers, the last contact sheet, and the page, of what there is so far."""
    (out / "table.md").write_text(printed(table(results)) + "\n")
    numbers = {
        method: {pair: [asdict(one) for one in seeds] for pair, seeds in of_pairs.items()}
        for method, of_pairs in results.items()
    }
    (out / "measures.json").write_text(json.dumps(numbers, default=str, indent=1))
    begin = (len(pairs) - 1) // ROWS * ROWS
    rows = [_row(results, pair) for pair in pairs[begin:]]
    width = max(cell.picture.width for row in rows for cell in row.cells[2:])
    number = begin // ROWS + 1
    draw(f"Sheet {number}", rows, width).save(out / f"sheet-{number}.png")
    (out / "blind.html").write_text(page(comparisons(results, pairs), out))


def comparisons(results: Results, pairs: Sequence[Pair]) -> list[Comparison]:
    """The first method against each other one, on each pair of which both have a picture, of the first seed."""
    first, *others = results
    return [
        Comparison(
            pair.name,
            pair.photograph,
            pair.artwork,
            (first, other),
            (results[first][pair.name][0].path, results[other][pair.name][0].path),
        )
        for pair in pairs
        for other in others
        if pair.name in results[first] and pair.name in results[other]
    ]


def _row(results: Results, pair: Pair) -> Row:
    """The pair, and each method's picture of the first seed with its distance from the photograph and the artwork."""
    there = {name: pairs[pair.name][0] for name, pairs in results.items() if pair.name in pairs}
    sources = [Cell(Image.open(path), path.stem) for path in (pair.photograph, pair.artwork)]
    painted = [
        Cell(
            Image.open(one.path),
            name,
            f"LPIPS {one.measures['lpips']:.2f}, DISTS {one.measures['dists']:.2f}",
        )
        for name, one in there.items()
    ]
    return Row(pair.name, [*sources, *painted])


def _shape(path: Path) -> tuple[int, int]:
    picture = Judged(path, {}).picture
    return picture.shape[1], picture.shape[2]


if __name__ == "__main__":
    main()
