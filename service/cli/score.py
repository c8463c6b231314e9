"""`score`: the paper's losses of a finished picture, whoever made it."""

import dataclasses
import json
from pathlib import Path

import click

from service.cli.arguments import PICTURE, api_options, fail, load, parse, read_opaque
from service.intake import Bounds, OptionsError
from service.messages import sentence
from service.style import close, score

_OPTIONS = (
    "strength",
    "content_weight",
    "style_weight",
    "content_layers",
    "style_layers",
    "style_scale",
    "color",
    "tv_weight",
    "pooling",
    "tile",
)


@click.command("score")
@click.argument("photograph", type=PICTURE)
@click.argument("artwork", type=PICTURE)
@click.argument("result", type=PICTURE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of a table.")
@api_options(*_OPTIONS)
def score_command(photograph: Path, artwork: Path, result: Path, as_json: bool, **given: str | None) -> None:
    """The losses of RESULT, as a painting of PHOTOGRAPH in the style of ARTWORK."""
    options = parse(given)
    pictures = [read_opaque(path) for path in (photograph, artwork, result)]
    model = load()
    try:
        wanted = Bounds.of_device(model.device, model.layers).complete(options, styles=1)
        pictures[0] = close(pictures[0], wanted.padding)  # as for a painting
        losses = score(model.network, pictures[0], [pictures[1]], pictures[2], wanted)
    except OptionsError as error:
        fail(str(error), code=2)
    except ValueError as error:
        fail(sentence(error))
    if as_json:
        click.echo(json.dumps({**dataclasses.asdict(losses), "backbone": model.backbone}))
        return
    rows = [
        *losses.layers.items(),
        ("content", losses.content),
        ("style", losses.style),
        ("variation", losses.variation),
        ("total", losses.total),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(f"{name:<{width}}  {value:12.6g}")
