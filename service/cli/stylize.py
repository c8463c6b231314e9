"""`stylize`: a picture without HTTP, with a progress bar."""

from collections.abc import Generator
from pathlib import Path

import click
from tqdm import tqdm

from service.cli.options import PICTURE, api_options, fail, load, parse, read_picture, write_atomically
from service.contract import Bounds, OptionsError, StylizeOptions
from service.delivery import deliver
from service.images import MEDIA_TYPES, Format
from service.jobs import Work
from service.messages import sentence
from service.style.progress import Progress, Result

# Enough for any printer; there is no server to protect here.
MAX_SIZE = 8192
_SUFFIXES: dict[str, Format] = {".jpg": "jpeg", **{f".{name}": name for name in MEDIA_TYPES}}


@click.command("stylize")
@click.argument("photograph", type=PICTURE)
@click.argument("artworks", type=PICTURE, nargs=-1, required=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Where the picture goes."
)
@api_options(*(name for name in StylizeOptions.model_fields if name != "format"))
def stylize_command(photograph: Path, artworks: tuple[Path, ...], output: Path, **given: str | None) -> None:
    """Paint PHOTOGRAPH like the ARTWORKS."""
    options = parse(given)
    image_format = _SUFFIXES.get(output.suffix.lower())
    if image_format is None:
        fail(f"{output} has no suffix of a picture: end it with one of {', '.join(_SUFFIXES)}.", code=2)
    content = read_picture(photograph)
    styles = [read_picture(artwork) for artwork in artworks]
    model = load()
    bounds = Bounds.of_device(model.device, model.layers, max_size=MAX_SIZE)
    try:
        wanted = options.to_options(bounds, len(styles))
    except OptionsError as error:
        fail(str(error), code=2)
    click.echo(
        f"{model.backbone} on {model.device}, seed {wanted.seed}" + f"; {model.note}" * bool(model.note)
    )
    try:
        result = _watch(model.paint(Work(content.rgb, [style.rgb for style in styles], wanted)))
    except ValueError as error:
        fail(sentence(error))
    write_atomically(output, deliver(result.image, image_format, options.quality, content.alpha))
    height, width = result.image.shape[-2:]
    click.echo(
        f"{output}: {width}x{height} px, {result.evaluations} evaluations in {result.seconds:.1f} s "
        f"({result.stopped}), loss {result.losses.total:.4g}"
    )


def _watch(steps: Generator[Progress, None, Result]) -> Result:
    """Run to the end under a progress bar."""
    with tqdm(total=100, unit="%", bar_format="{l_bar}{bar}| {elapsed} s{postfix}") as bar:
        while True:
            try:
                progress = next(steps)
            except StopIteration as stop:
                bar.update(100 - bar.n)
                result: Result = stop.value
                return result
            bar.set_postfix_str(
                f"loss {progress.loss:.3g}, {progress.seconds_left:.0f} s left", refresh=False
            )
            bar.update(100 * progress.fraction - bar.n)
