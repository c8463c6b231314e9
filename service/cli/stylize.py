"""`stylize`: a picture without HTTP, with a progress bar."""

from collections.abc import Generator
from pathlib import Path

import click
from tqdm import tqdm

from service.cli.options import (
    PICTURE,
    api_options,
    fail,
    load,
    parse,
    read_mask,
    read_picture,
    write_atomically,
)
from service.images import MEDIA_TYPES, Format
from service.images.delivery import deliver
from service.intake.bounds import Bounds
from service.intake.errors import OptionsError
from service.intake.masks import match, misfit
from service.intake.options import StylizeOptions
from service.messages import sentence
from service.style.memory.need import Need, amount
from service.style.progress import Progress, Result, finish
from service.style.resample import kept
from service.style.work import Work

# Enough for any printer; there is no server to protect here.
MAX_SIZE = 8192
_SUFFIXES: dict[str, Format] = {".jpg": "jpeg", **{f".{name}": name for name in MEDIA_TYPES}}


@click.command("stylize")
@click.argument("photograph", type=PICTURE)
@click.argument("artworks", type=PICTURE, nargs=-1, required=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Where the picture goes."
)
@click.option(
    "--content-mask",
    type=PICTURE,
    help="Label image for PHOTOGRAPH: a flat colour for each region; black is not painted.",
)
@click.option(
    "--style-mask",
    "style_masks",
    type=PICTURE,
    multiple=True,
    help="Label image for each of the ARTWORKS, in their order: where the style of a region comes from.",
)
@click.option("--init-image", type=PICTURE, help="Picture to start from in place of PHOTOGRAPH.")
@api_options(*(name for name in StylizeOptions.model_fields if name != "format"))
def stylize_command(
    photograph: Path,
    artworks: tuple[Path, ...],
    output: Path,
    content_mask: Path | None,
    style_masks: tuple[Path, ...],
    init_image: Path | None,
    **given: str | None,
) -> None:
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
        wanted = bounds.complete(
            options,
            len(styles),
            content_mask=content_mask is not None,
            style_masks=len(style_masks),
            init_image=init_image is not None,
        )
        masks = None
        if content_mask is not None:
            longest = wanted.longest_of_artworks(kept(wanted.size))
            masks, _ = match(
                read_mask(content_mask, kept(wanted.size)),
                [read_mask(path, longest) for path in style_masks],
                photograph=content.size,
                artworks=[style.size for style in styles],
                style_weights=wanted.style_blend,
            )
        start = None
        if init_image is not None:
            picture = read_picture(init_image)
            if errors := misfit("init_image", picture.size, "PHOTOGRAPH", content.size):
                raise OptionsError(errors)
            start = picture.rgb
    except OptionsError as error:
        fail(str(error), code=2)
    click.echo(
        f"{model.backbone} on {model.device}, seed {wanted.seed}" + f"; {model.note}" * bool(model.note)
    )
    pictures = [content.rgb, *(style.rgb for style in styles)]
    photo_size, *art_sizes = ((picture.shape[-2], picture.shape[-1]) for picture in pictures)
    try:
        click.echo(
            _told(model.need(photo_size, art_sizes, wanted, len(masks.regions) if masks else 0), model.memory)
        )
        work = Work(content.rgb, [style.rgb for style in styles], wanted, masks, start)
        result = _watch(model.paint(work))
    except ValueError as error:
        fail(sentence(error))
    write_atomically(output, deliver(result.image, image_format, options.quality, content.alpha))
    height, width = result.image.shape[-2:]
    click.echo(
        f"{output}: {width}x{height} px, {result.evaluations} evaluations in {result.seconds:.1f} s "
        f"({result.stopped}), loss {result.losses.total:.4g}"
    )


def _told(need: Need, bound: int | None) -> str:
    """What it will take, before it does."""
    text = f"needs {amount(need.peak)} of memory" + (f" of {amount(bound)}" if bound is not None else "")
    again = f", computing {need.recomputed} of {need.blocks} blocks twice" if need.recomputed else ""
    return text + again


def _watch(steps: Generator[Progress, None, Result]) -> Result:
    """Run to the end under a progress bar."""
    with tqdm(total=100, unit="%", bar_format="{l_bar}{bar}| {elapsed} s{postfix}") as bar:

        def show(progress: Progress) -> None:
            bar.set_postfix_str(
                f"loss {progress.loss:.3g}, {progress.seconds_left:.0f} s left", refresh=False
            )
            bar.update(100 * progress.fraction - bar.n)

        result = finish(steps, show)
        bar.update(100 - bar.n)
        return result
