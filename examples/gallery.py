"""Make the pictures of docs/develop/gallery.md: all of them, or those that are named.

    python -m examples.gallery [--url URL] [NAME ...]

Each is a contact sheet of what the service answers to requests that differ in one option, docs/images/NAME.jpg. It
starts the service, unless the URL of a running one is given. Names: figures, and those of `SHEETS`.
"""

import contextlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from PIL import Image, ImageDraw, ImageFilter, ImageOps
from tqdm import tqdm

from devtools.running import RealServer
from examples.figures.client import Client
from examples.figures.command import figures_command
from examples.figures.recipes import Figure, Original, Panel, Strip
from examples.figures.results import paint, sheet
from service.intake.operations import STYLIZE

EXAMPLES = Path(__file__).parent
OUT = Path("out/gallery")
IMAGES = Path("docs/images")

WIDEST = 1400
"""Pixels of a sheet in the documentation."""

MOST_BYTES = 300_000

USUAL: Mapping[str, object] = {"size": 384}
CELL = 384


def photograph(name: str) -> Path:
    """The file of a photograph of examples/photos."""
    return EXAMPLES / "photos" / f"{name}.jpg"


def artwork(name: str) -> Path:
    """The file of an artwork of examples/styles."""
    return EXAMPLES / "styles" / f"{name}.jpg"


GLASS, STARS, INK = artwork("stained-glass"), artwork("starfield-strokes"), artwork("sepia-valley")
WAVES, DUSK = artwork("indigo-waves"), artwork("pointillist-dusk")
PHOTO, PORTRAIT, PRODUCT, LAUNCH = (photograph(name) for name in ("chelsea", "astronaut", "coffee", "rocket"))

CAT = (
    (0.07, 0),
    (0.87, 0),
    (0.8, 0.22),
    (0.8, 0.42),
    (0.74, 0.78),
    (0.77, 1),
    (0, 1),
    (0, 0.4),
    (0.09, 0.24),
)
"""Outline of the cat in PHOTO, in parts of its width and height."""

# Pictures that are drawn for the sheets, by `draw_helpers`.
CAT_ONLY, CAT_AND_ROOM = OUT / "cat-only.png", OUT / "cat-and-room.png"
ALL_RED, ALL_BLUE = OUT / "all-red.png", OUT / "all-blue.png"
TURNED, FACE = OUT / "turned.png", OUT / "face.png"


def row(
    *changes: Mapping[str, object], styles: Sequence[Path] = (GLASS,), label: str = "", photo: Path = PHOTO
) -> Strip:
    """Paintings that differ in the options given; each is captioned with them."""
    return Strip(
        label,
        [
            Panel(
                ", ".join(f"{name} {_text(value)}" for name, value in change.items()),
                STYLIZE.path,
                {**USUAL, **change},
                photo,
                styles,
            )
            for change in changes
        ],
    )


def panel(caption: str, *styles: Path, **others: Path | Sequence[Path]) -> Panel:
    """A painting with further pictures."""
    return Panel(caption, STYLIZE.path, USUAL, PHOTO, styles, others)


def draw_helpers() -> None:
    """Label images of the cat and of whole artworks, the photograph with its colours inverted, and a grey mask."""
    OUT.mkdir(parents=True, exist_ok=True)
    with Image.open(PHOTO) as photo:
        ImageOps.invert(photo).save(TURNED)
        size = photo.size
    outline = [(x * size[0], y * size[1]) for x, y in CAT]
    for file, room, cat in ((CAT_ONLY, "black", "white"), (CAT_AND_ROOM, "blue", "red")):
        labels = Image.new("RGB", size, room)
        ImageDraw.Draw(labels).polygon(outline, cat)
        labels.save(file)
    for file, color, art in ((ALL_RED, "red", GLASS), (ALL_BLUE, "blue", STARS)):
        with Image.open(art) as picture:
            Image.new("RGB", picture.size, color).save(file)
    with Image.open(PORTRAIT) as portrait:
        width, height = portrait.size
    face = Image.new("L", (width, height), "white")
    ImageDraw.Draw(face).ellipse((0.36 * width, 0.1 * height, 0.54 * width, 0.42 * height), "black")
    face.filter(ImageFilter.GaussianBlur(0.03 * width)).save(FACE)


def _text(value: object) -> str:
    return ",".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _each(option: str, *values: object) -> list[dict[str, object]]:
    return [{option: value} for value in values]


_UP_TO = {depth: [f"conv{block}_1" for block in range(1, depth + 1)] for depth in (1, 3, 5)}

SHEETS: Mapping[str, Sequence[Strip]] = {
    "pictures": [
        Strip(
            "",
            [
                Panel(caption, STYLIZE.path, USUAL, photo, [style])
                for caption, photo, style in [
                    ("a portrait", PORTRAIT, WAVES),
                    ("a product", PRODUCT, STARS),
                    ("a landscape", LAUNCH, DUSK),
                ]
            ],
        )
    ],
    "strength": [
        Strip(
            "",
            [
                Original(PORTRAIT, "the photograph"),
                *row(*_each("strength", 0.2, 0.4), photo=PORTRAIT, styles=[WAVES]).shown,
            ],
        ),
        row(*_each("strength", 0.6, 0.8, 1), photo=PORTRAIT, styles=[WAVES]),
    ],
    "size": [row(*_each("size", 96, 192, 384))],
    "style_scale": [
        Strip("", [Original(INK, "the artwork"), *row({"style_scale": 0.3}, styles=[INK]).shown]),
        row(*_each("style_scale", 1, 2), styles=[INK]),
    ],
    "style_layers": [row(*_each("style_layers", *_UP_TO.values()), styles=[STARS])],
    "content_layers": [
        row(*_each("content_layers", ["conv1_1"], ["conv3_1"])),
        row(*_each("content_layers", ["conv4_2"], ["conv5_1"])),
    ],
    "style_weights": [
        Strip("", [Original(GLASS, "the first"), Original(INK, "the second")]),
        row(*_each("style_weights", [1, 0], [1, 1], [0, 1]), styles=[GLASS, INK]),
    ],
    "pooling": [row(*_each("pooling", "average", "max"))],
    "init": [
        row({"init": "content"}, {"init": "noise", "iterations": 100}, {"init": "noise", "iterations": 300})
    ],
    "seed": [row(*_each("seed", 0, 1, 2))],
    "color": [
        Strip("", [Original(WAVES, "the artwork"), *row({"color": "style"}, styles=[WAVES]).shown]),
        row(*_each("color", "content-match", "content-luminance"), styles=[WAVES]),
    ],
    "tv_weight": [row(*_each("tv_weight", 0, 0.01, 1))],
    "masks": [
        Strip(
            "",
            [
                Original(CAT_ONLY, "content_mask"),
                panel("the cat only", GLASS, content_mask=CAT_ONLY),
            ],
        ),
        Strip(
            "",
            [
                Original(CAT_AND_ROOM, "content_mask"),
                panel(
                    "red glass, blue stars",
                    GLASS,
                    STARS,
                    content_mask=CAT_AND_ROOM,
                    style_mask=(ALL_RED, ALL_BLUE),
                ),
            ],
        ),
    ],
    "strength_mask": [
        Strip(
            "",
            [
                Original(PORTRAIT, "the photograph"),
                Original(FACE, "strength_mask"),
                Panel("with it", STYLIZE.path, USUAL, PORTRAIT, [WAVES], {"strength_mask": FACE}),
            ],
        )
    ],
    "init_image": [
        Strip(
            "",
            [
                panel("without", GLASS),
                Original(TURNED, "init_image"),
                panel("with it", GLASS, init_image=TURNED),
            ],
        )
    ],
    "iterations": [row(*_each("iterations", 5, 40, 300))],
}


@click.command(help=__doc__)
@click.argument("names", nargs=-1, type=click.Choice(["figures", *SHEETS]))
@click.option("--url", help="Of a running service.")
def main(names: Sequence[str], url: str | None) -> None:
    """Make them."""
    log = OUT / "service.log"
    draw_helpers()
    with contextlib.ExitStack() as stack:
        if not url:
            url = stack.enter_context(RealServer(log, STYLIZE_MAX_BUDGET=3600)).url
        client = Client(url)
        for name in names or ["figures", *SHEETS]:
            if name == "figures":
                figures_command(["--url", url, "--out", str(OUT)], standalone_mode=False)
                for number in (1, 2, 3):
                    with Image.open(OUT / f"figure{number}.png") as picture:
                        save(picture, IMAGES / f"figure{number}.jpg")
            else:
                figure = Figure(name, name, SHEETS[name])
                save(painted(client, figure), IMAGES / f"{name}.jpg")


def painted(client: Client, figure: Figure) -> Image.Image:
    """The sheet, asked for panel by panel."""
    asked = [(strip, panel) for strip in figure.strips for panel in strip.shown if isinstance(panel, Panel)]
    done = [paint(client, figure, strip, panel) for strip, panel in tqdm(asked, figure.name, unit="picture")]
    return sheet(figure, done, CELL)


def save(picture: Image.Image, path: Path) -> None:
    """As a JPEG, of the best quality that is small enough."""
    if picture.width > WIDEST:
        picture = picture.resize(
            (WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.LANCZOS
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    for quality in range(88, 40, -4):
        buffer = io.BytesIO()
        picture.convert("RGB").save(buffer, "jpeg", quality=quality, optimize=True)
        if buffer.tell() < MOST_BYTES:
            break
    path.write_bytes(buffer.getvalue())
    print(f"{path}: {picture.width}x{picture.height} px, {buffer.tell() // 1000} kB")


if __name__ == "__main__":
    main()
