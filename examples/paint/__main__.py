"""``python -m examples.paint [NAME...] [-o DIR] [--size N]``: paint the artworks (default: all of them)."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from PIL import ImageFile

from . import TITLES, paint

STYLES = Path(__file__).parent.parent / "styles"


def main() -> None:
    """Paint what the command line names, one JPEG each."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.paint", description="Paint the example artworks."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(TITLES)}; default: all")
    parser.add_argument(
        "-o", "--output", type=Path, default=STYLES, metavar="DIR", help="default: examples/styles"
    )
    parser.add_argument(
        "--size", type=int, default=640, metavar="N", help="longest side, pixels (default: 640)"
    )
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or TITLES:
        start = time.perf_counter()
        try:
            picture = paint(name, arguments.size)
        except ValueError as error:
            parser.error(str(error))
        path = arguments.output / f"{name}.jpg"
        # A progressive JPEG is encoded in one piece, and so rich a picture outgrows Pillow's usual buffer.
        ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 3 * picture.width * picture.height)
        picture.save(path, quality=90, subsampling=0, optimize=True, progressive=True)
        seconds = time.perf_counter() - start
        print(
            f"{path}  {picture.width} x {picture.height}, {path.stat().st_size // 1024} kB, {seconds:.1f} s"
        )


if __name__ == "__main__":
    main()
