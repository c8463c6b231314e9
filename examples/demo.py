"""Start the service, POST a photograph and a painting to it as a client would, and show what came back.

    python -m examples.demo [PHOTO ARTWORK]

Writes out/demo.png (the answer) and out/demo-sheet.png (photograph, painting, answer), says how long each step took,
and stops the service.
"""

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import requests
from PIL import Image, ImageOps

from devtools.running import RealServer
from devtools.sheet import Cell, Row, draw

HERE = Path(__file__).parent
PHOTO = HERE / "photos" / "chelsea.jpg"
ARTWORK = HERE / "styles" / "stained-glass.jpg"
OUT = Path("out")
SIZE = 384


def main() -> None:
    """Run the demonstration; exits with 1 and a sentence where a step fails."""
    photo, artwork = (Path(name) for name in sys.argv[1:3]) if len(sys.argv) == 3 else (PHOTO, ARTWORK)
    OUT.mkdir(exist_ok=True)
    steps: list[tuple[str, float]] = []
    with step("start the service and warm it up", steps):
        server = RealServer(OUT / "demo.log").__enter__()
    try:
        with step(f"POST /stylize, {SIZE} px", steps):
            answer = post(server.url, photo, artwork)
    finally:
        with step("stop the service", steps):
            server.__exit__()
    (OUT / "demo.png").write_bytes(answer.content)
    pictures = {"the photograph": photo, "the artwork": artwork, "the answer": OUT / "demo.png"}
    sheet(pictures).save(OUT / "demo-sheet.png")
    print()
    for name, seconds in steps:
        print(f"{seconds:7.1f} s  {name}")
    for header in ("Server-Timing", "X-Stylize-Backbone", "X-Stylize-Evaluations", "X-Stylize-Stopped"):
        print(f"           {header}: {answer.headers.get(header)}")
    print(f"\nLook at {OUT / 'demo-sheet.png'}.")


@contextlib.contextmanager
def step(name: str, steps: list[tuple[str, float]]) -> Iterator[None]:
    """Time a step and say that it began."""
    print(f"... {name}", flush=True)
    began = time.monotonic()
    yield
    steps.append((name, time.monotonic() - began))


def post(url: str, photo: Path, artwork: Path) -> requests.Response:
    """What a client does."""
    with photo.open("rb") as content, artwork.open("rb") as style:
        answer = requests.post(
            f"{url}/stylize",
            files={"content": content, "style": style},
            data={"size": SIZE, "seed": 0},
            headers={"Accept": "image/png"},
            timeout=300,
        )
    if not answer.ok:
        sys.exit(f"the service answered {answer.status_code}: {answer.text}")
    return answer


def sheet(pictures: dict[str, Path]) -> Image.Image:
    """The pictures side by side, each with its caption."""
    cells = [Cell(ImageOps.exif_transpose(Image.open(path)), caption) for caption, path in pictures.items()]
    return draw("A photograph, painted", [Row("", cells)], SIZE)


if __name__ == "__main__":
    main()
