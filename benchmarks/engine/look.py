"""Same look at every size: a small and a large result of one request, and how much more two seeds differ.

    python -m benchmarks look [--pairs FOLDER] [--only NAME] [--limit 3] [--small 128] [--large 512]

Mean absolute difference in steps of 1/255, the large picture reduced to the size of the small one (Lanczos); as they
are, and after a blur, as the eye at a distance sees them. "Same look" holds where the sizes differ less than any two
seeds do. It writes a sheet of what was compared.
"""

import itertools
from dataclasses import replace
from pathlib import Path

import click
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from benchmarks.engine.methods import Pair
from benchmarks.engine.quality import pairs_of, sheet
from service.style import resample
from service.style.network import with_precision
from service.style.network.vgg import VGG
from service.style.options import Options
from service.style.progress import finish
from service.style.transfer import stylize
from service.weights import load

BLURS = (0.0, 1.0, 2.0)
"""Standard deviations of the Gaussian filter, in pixels of the small picture."""

SEEDS = (0, 1, 2)


def paint(network: VGG, pair: Pair, options: Options) -> Tensor:
    """What a transfer comes to, uint8 (3, H, W)."""
    return finish(stylize(network, pair.photograph, [pair.artwork], options)).image


def difference(a: Tensor, b: Tensor, blur: float) -> float:
    """Mean absolute difference of two 8-bit pictures, in steps of 1/255, after a blur."""
    return (blurred(a, blur) - blurred(b, blur)).abs().mean().item()


def blurred(picture: Tensor, deviation: float) -> Tensor:
    """Float (H, W, 3)."""
    image = Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())
    image = image.filter(ImageFilter.GaussianBlur(deviation))
    return torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).float()


@click.command(help=__doc__)
@click.option("--pairs", default="examples", type=click.Path(exists=True, path_type=Path), show_default=True)
@click.option("--only", default="", help="pairs whose name contains this")
@click.option("--limit", default=3, show_default=True, help="how many pairs")
@click.option("--small", default=128, show_default=True)
@click.option("--large", default=512, show_default=True)
@click.option("--backbone", default="vgg16", show_default=True)
@click.option("--weights", default="weights", type=click.Path(path_type=Path), show_default=True)
@click.option("--out", default="out/bench", type=click.Path(path_type=Path), show_default=True)
def main(
    pairs: Path, only: str, limit: int, small: int, large: int, backbone: str, weights: Path, out: Path
) -> None:
    network = load(backbone, weights).network
    network = with_precision(network)
    out.mkdir(parents=True, exist_ok=True)
    rows, kept = [], 0
    print(f"{'pair':40} {'blur':>5} {f'{small} / {large} px':>14} {f'two seeds at {small} px':>24}")
    for pair in (found := pairs_of(pairs, limit, only)):
        seeds = [paint(network, pair, Options(size=small, seed=seed)) for seed in SEEDS]
        final = paint(network, pair, replace(Options(), size=large, seed=SEEDS[0]))
        reduced = resample.quantise(resample.resize(final, (seeds[0].shape[-2], seeds[0].shape[-1])))
        for blur in BLURS:
            sizes = difference(seeds[0], reduced, blur)
            others = [difference(a, b, blur) for a, b in itertools.combinations(seeds, 2)]
            kept += sizes < min(others)
            said = " ".join(f"{other:.1f}" for other in others)
            print(f"{pair.name:40} {blur:5.1f} {sizes:14.1f} {said:>24}", flush=True)
        captions = [f"{small} px, seed {seed}" for seed in SEEDS]
        rows.append((pair.name, [*zip(captions, seeds, strict=True), (f"{large} px at {small} px", reduced)]))
        sheet(rows, out / "look.png")
    print(f"the sizes differ less than any two seeds in {kept} of {len(found) * len(BLURS)} cases")


if __name__ == "__main__":
    main()
