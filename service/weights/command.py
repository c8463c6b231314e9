"""`python -m service weights`: provision a backbone, or list what there is."""

import re
from pathlib import Path

import click

from service.weights.backbones import BACKBONES, CUSTOM, HttpSource
from service.weights.errors import WeightsError
from service.weights.store import available, provision


@click.command("weights")
@click.argument("backbone", default="vgg16", metavar="[vgg16|vgg19|FILE|custom]")
@click.option("--url", help="Fetch it from here, such as a mirror; custom is fetched from nowhere else.")
@click.option(
    "--sha256", metavar="HEX", help="Of the file at --url, for custom; those of the others are known."
)
@click.option(
    "--dir",
    "weights_dir",
    envvar="STYLIZE_WEIGHTS_DIR",
    default=Path("weights"),
    show_default="STYLIZE_WEIGHTS_DIR, else ./weights",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the weights are kept.",
)
@click.option("--force", is_flag=True, help="Fetch and convert again even if it has been done.")
@click.option("--list", "list_only", is_flag=True, help="Only say what is known and what is there.")
def weights_command(
    backbone: str, url: str | None, sha256: str | None, weights_dir: Path, force: bool, list_only: bool
) -> None:
    """Fetch the weights of the network, check and calibrate them, and keep them for the service.

    FILE is a .safetensors, .pth or .pt file of a VGG-16 or VGG-19 with torchvision's names; it becomes the
    backbone `custom`, or the named one if its checksum is that of the published file.
    """
    if list_only:
        _list(weights_dir)
        return
    source = None if url is None else _mirror(backbone, url, sha256)
    try:
        done = provision(backbone, weights_dir, force=force, source=source)
    except WeightsError as error:
        click.echo(f"weights: {error}", err=True)
        raise SystemExit(1) from None
    content = done.content
    if done.already:
        click.echo(f"{done.name} is in {done.path} already (--force provisions it again)")
        return
    click.echo(f"{done.name}: {done.path}, {done.path.stat().st_size / 1e6:.1f} MB")
    click.echo(f"  source  {content.source} (SHA-256 {content.source_sha256[:12]})")
    if content.credit:
        click.echo(f"  credit  {content.credit}")
    low, high = min(content.factors.values()), max(content.factors.values())
    click.echo(f"  calibrated: responses scaled by {low:.4g} to {high:.4g}")


def _mirror(backbone: str, url: str, sha256: str | None) -> HttpSource:
    """The same file at another address."""
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter(
            f"it is {url}: give an address with http:// or https://.", param_hint="--url"
        )
    if backbone in BACKBONES:
        if sha256 is not None:
            raise click.BadParameter(f"that of {backbone} is known: leave it out.", param_hint="--sha256")
        return HttpSource(url, BACKBONES[backbone].source.sha256)
    if backbone != CUSTOM:
        raise click.BadParameter(f"{backbone} is fetched from nowhere: leave it out.", param_hint="--url")
    if sha256 is None or not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise click.BadParameter(
            "custom needs it, 64 lower-case digits as from sha256sum: what comes from the network is checked.",
            param_hint="--sha256",
        )
    return HttpSource(url, sha256)


def _list(weights_dir: Path) -> None:
    present = available(weights_dir)
    for backbone in BACKBONES.values():
        click.echo(f"{backbone.name}  {'provisioned' if backbone.name in present else 'not provisioned'}")
        click.echo(f"  source  {backbone.origin}\n  credit  {backbone.credit}")
    if CUSTOM in present:
        click.echo(f"{CUSTOM}  provisioned")
    click.echo(f"in {weights_dir}")
