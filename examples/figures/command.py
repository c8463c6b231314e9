"""`figures`: the paper's figures from a running service, as contact sheets with a table."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import click
from PIL import Image
from tqdm import tqdm

from examples.figures import recipes, results
from examples.figures.client import Client, ServiceError
from service.cli.arguments import fail, write_atomically
from service.messages import unknown

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif"}
# Of examples/: what to take where nothing is said.
_PHOTO, _STYLE = "chelsea", "starfield-strokes"
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_MOST_ARTWORKS = 6


@click.command("figures")
@click.option("--url", default="http://127.0.0.1:8080", show_default=True, help="Of the service that paints.")
@click.option("--key", help="That the service asks for, if it does.")
@click.option(
    "--from", "folder", type=_FOLDER, default="examples", show_default=True, help="Has photos/ and styles/."
)
@click.option("--photo", help=f"Name of the photograph; {_PHOTO} or the first.")
@click.option("--style", help=f"Name of the artwork of Figures 1 and 3; {_STYLE} or the first.")
@click.option("--size", default=128, show_default=True, help="Longest side of each picture, pixels.")
@click.option(
    "--iterations", default=150, show_default=True, help="Evaluations of each picture from white noise."
)
@click.option("--figure", "wanted", type=click.Choice(["1", "2", "3"]), multiple=True, help="Only this one.")
@click.option("--out", type=click.Path(path_type=Path), default="out/figures", show_default=True)
def figures_command(
    url: str,
    key: str | None,
    folder: Path,
    photo: str | None,
    style: str | None,
    size: int,
    iterations: int,
    wanted: tuple[str, ...],
    out: Path,
) -> None:
    """Figures 1 to 3 of the paper, painted by the service at --url, and a table of the losses of every panel."""
    photos, styles = (_pictures(folder / name) for name in ("photos", "styles"))
    chosen, artwork = _named(photos, photo, _PHOTO), _named(styles, style, _STYLE)
    figures = {
        "1": recipes.figure_1(chosen, artwork, size, iterations),
        "2": recipes.figure_2(chosen, styles[:_MOST_ARTWORKS], size, min(iterations, 100)),
        "3": recipes.figure_3(chosen, artwork, size, iterations),
    }
    figures = {number: figure for number, figure in figures.items() if not wanted or number in wanted}
    client = Client(url.rstrip("/"), key)
    every: list[results.Done] = []
    with tqdm(total=sum(len(figure.panels) for figure in figures.values()), unit="picture") as bar:
        for figure in figures.values():
            done = []
            for strip in figure.strips:
                for panel in strip.shown:
                    if isinstance(panel, recipes.Panel):
                        bar.set_postfix_str(f"{figure.name}, {strip.label}, {panel.caption}")
                        try:
                            done.append(results.paint(client, figure, strip, panel))
                        except ServiceError as error:
                            fail(str(error))
                        bar.update()
            write_atomically(out / f"{figure.name}.png", _png(results.sheet(figure, done, size)))
            every += done
    found = results.findings(every)
    table = results.markdown(every, found)
    write_atomically(out / "table.md", table.encode())
    write_atomically(out / "table.json", json.dumps([each.numbers for each in every], indent=1).encode())
    click.echo(table)
    click.echo(f"Look at {', '.join(str(out / f'{figure.name}.png') for figure in figures.values())}.")


def _pictures(folder: Path) -> list[Path]:
    """The picture files of a folder, by name; ends the process where there are none."""
    found = sorted(
        path for path in (folder.iterdir() if folder.is_dir() else ()) if path.suffix.lower() in _SUFFIXES
    )
    if not found:
        fail(f"{folder} has no pictures: put at least one there ({', '.join(sorted(_SUFFIXES))}).", code=2)
    return found


def _named(files: Sequence[Path], name: str | None, usual: str) -> Path:
    """The file of this name without its suffix; the usual one or the first where no name is given."""
    by_name = {path.stem: path for path in files}
    if name is None:
        return by_name.get(usual, files[0])
    if name not in by_name:
        fail(f"{files[0].parent}: {unknown(name, by_name, 'picture there')}", code=2)
    return by_name[name]


def _png(sheet: Image.Image) -> bytes:
    buffer = io.BytesIO()
    sheet.save(buffer, "png", optimize=True)
    return buffer.getvalue()
