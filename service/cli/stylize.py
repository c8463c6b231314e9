"""`stylize`: a picture without HTTP, by the same stages, with a progress bar."""

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

import click
from tqdm import tqdm

from service.catalogue import Catalogue
from service.cli.arguments import (
    MAX_PIXELS,
    PICTURE,
    api_options,
    fail,
    load,
    parse,
    read,
    settings,
    write_atomically,
)
from service.images import MEDIA_TYPES, Format, deliver
from service.images.decoders import LocalDecoder
from service.intake import (
    STYLIZE,
    Bounds,
    OptionsError,
    PictureError,
    StylizeOptions,
    Submission,
    TooLargeError,
    complete,
    prepare,
)
from service.messages import sentence
from service.model import system_version
from service.style import Progress, Result, finish
from service.style.memory import Need, amount

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
@click.option(
    "--strength-mask", type=PICTURE, help="Grey picture: how strongly each part of PHOTOGRAPH is painted."
)
@click.option("--anchor-image", type=PICTURE, help="Picture that the result is held to, like the last frame.")
@click.option("--anchor-mask", type=PICTURE, help="Grey picture: how firmly each part of it is held.")
@api_options(*(name for name in StylizeOptions.model_fields if name != "format"))
def stylize_command(
    photograph: Path,
    artworks: tuple[Path, ...],
    output: Path,
    content_mask: Path | None,
    style_masks: tuple[Path, ...],
    init_image: Path | None,
    strength_mask: Path | None,
    anchor_image: Path | None,
    anchor_mask: Path | None,
    **given: str | None,
) -> None:
    """Paint PHOTOGRAPH like the ARTWORKS."""
    options = parse(given)
    image_format = _SUFFIXES.get(output.suffix.lower())
    if image_format is None:
        fail(f"{output} has no suffix of a picture: end it with one of {', '.join(_SUFFIXES)}.", code=2)
    single = {
        "content_mask": content_mask,
        "init_image": init_image,
        "strength_mask": strength_mask,
        "anchor_image": anchor_image,
        "anchor_mask": anchor_mask,
    }
    sent = Submission(
        STYLIZE,
        read(photograph),
        tuple(read(path) for path in artworks),
        (),
        options,
        style_masks=tuple(read(path) for path in style_masks),
        **{name: read(path) for name, path in single.items() if path},
    )
    model = load()
    bounds = Bounds.of_device(model.device, model.layers, max_size=MAX_SIZE)
    catalogue = Catalogue(None, max_pixels=MAX_PIXELS)
    try:
        asked = complete(sent, bounds, catalogue, image_format)
        delivery, work = prepare(
            asked,
            decoder=LocalDecoder(max_pixels=MAX_PIXELS, heic=settings().heic),
            catalogue=catalogue,
            fits=model,
            system=system_version(model) if settings().provenance else None,
        )
    except OptionsError as error:
        fail(str(error), code=2)
    except PictureError as error:
        paths = _paths(single | {"content": photograph}, artworks, style_masks)
        fail(f"{paths[error.part]}: {error.reason}.")
    except TooLargeError as error:
        fail(str(error))
    click.echo(
        f"{model.backbone} on {model.device}, seed {asked.options.seed}"
        + f"; {model.note}" * bool(model.note)
    )
    try:
        click.echo(_told(model.need(work.shapes), model.memory))
        result = _watch(model.paint(model.prepared(work)))
    except ValueError as error:
        fail(sentence(error))
    picture = deliver(result.image, delivery.format, delivery.quality, delivery.alpha, delivery.metadata)
    write_atomically(output, picture)
    height, width = result.image.shape[-2:]
    click.echo(
        f"{output}: {width}x{height} px, {result.evaluations} evaluations in {result.seconds:.1f} s "
        f"({result.stopped}), loss {result.losses.total:.4g}"
    )


def _paths(
    single: Mapping[str, Path | None], artworks: Sequence[Path], style_masks: Sequence[Path]
) -> dict[str, Path | None]:
    """The files by the names that they have in a request."""
    several = (("style", artworks), ("style_mask", style_masks))
    return {
        **single,
        **{name: paths[0] for name, paths in several if paths},
        **{f"{name} {number}": path for name, paths in several for number, path in enumerate(paths, 1)},
    }


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
