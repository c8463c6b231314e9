"""Paint a clip, frame by frame, through a running service.

    python -m examples.video CLIP ARTWORK OUT.mp4
    python -m examples.video PHOTO ARTWORK OUT.mp4 --made 8 --compare

The second one makes the clip by moving a camera over the photograph, so that the true flow is known. `--compare`
paints every frame alone as well, and prints how much less the frames flicker, and what that costs in content and
style. Painted frames stay in a folder beside OUT.mp4, and the same command goes on where it was broken off.
"""

import hashlib
import json
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from PIL import Image
from tqdm import tqdm

from examples.figures.client import Client, ServiceError
from examples.video import clips, flow
from examples.video.clips import Flow, Frame
from examples.video.flow import Trust
from examples.video.painting import Painter

FPS = 12.0  # of a clip that is made

Step = tuple[Frame, tuple[Flow, Trust] | None, float]
"""A frame, how it moved since the last one (None: the first, or a cut), and the trusted part of it."""


@click.command(help=__doc__)
@click.argument("clip", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("artwork", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--url", default="http://127.0.0.1:8080", help="Of the service.")
@click.option("--key", default=None, help="If the service asks for one.")
@click.option("--size", default=256, help="Longest side of a frame, pixels.")
@click.option("--made", default=0, help="Make a clip of so many frames of CLIP, which is a photograph.")
@click.option("--compare", is_flag=True, help="Paint every frame alone as well, and measure both.")
@click.option("--option", "options", multiple=True, help="Of the API, like strength=0.6; several times.")
def main(
    clip: Path,
    artwork: Path,
    out: Path,
    url: str,
    key: str | None,
    size: int,
    made: int,
    compare: bool,
    options: tuple[str, ...],
) -> None:
    """Paint the clip, and say what it came to."""
    given = dict(option.split("=", 1) for option in options)
    asked = {
        "size": size,
        **{name: json.loads(value) if value[:1].isdigit() else value for name, value in given.items()},
    }
    client = Client(url, key)
    painters = {
        name: Painter(client, artwork, asked, folder_of(out, name, clip, artwork, made, asked))
        for name in ("held", "alone")[: 1 + compare]
    }
    try:
        fps, total, steps = made_clip(clip, size, made) if made else read_clip(clip, size)
    except ValueError as error:
        sys.exit(f"{error}.")
    errors: dict[str, list[float]] = {name: [] for name in painters}
    ratios: dict[str, list[float]] = {"content": [], "style": []}
    count = 0
    try:
        for number, (frame, motion, share) in enumerate(tqdm(steps, total=total, unit="frame")):
            if number and motion is None:
                tqdm.write(f"frame {number}: a cut, {share:.0%} of the flow can be trusted")
            for name, painter in painters.items():
                # The first of a shot is the same, held or alone.
                painted = painter.paint(number, frame, motion if name == "held" else None)
                if motion is not None:
                    errors[name].append(flow.warping_error(painted, painter.painted(number - 1), *motion))
            if compare and motion is not None:
                held, alone = (painter.losses(number) for painter in painters.values())
                for term, ratio in ratios.items():
                    ratio.append(held[term] / alone[term])
            count = number + 1
    except ServiceError as error:
        sys.exit(f"frame {count}: {error} The same command goes on from there.")
    clips.write(out, fps, (painters["held"].painted(number) for number in range(count)))
    print(f"{out}: {count} frames")
    for name, found in errors.items():
        if found:
            print(
                f"warping error, {name}: {statistics.mean(found):.2f} of 255 ({min(found):.2f} to {max(found):.2f})"
            )
    if compare and errors["alone"]:
        print(f"held to alone: {statistics.mean(errors['held']) / statistics.mean(errors['alone']):.3f}")
        for term, ratio in ratios.items():
            print(f"{term} loss, held to alone: {min(ratio):.3f} to {max(ratio):.3f}")
        sheet = [
            np.hstack([painter.painted(number) for number in range(min(count, 12))])
            for painter in painters.values()
        ]
        Image.fromarray(np.vstack(sheet)).save(out.with_suffix(".png"))
        print(f"{out.with_suffix('.png')}: the first frames, held above alone")


def folder_of(out: Path, name: str, clip: Path, artwork: Path, made: int, asked: dict[str, object]) -> Path:
    """Where painted frames are: of another clip, artwork or options they are elsewhere."""
    key = json.dumps([clip.stat().st_size, artwork.stat().st_size, str(clip), str(artwork), made, asked])
    folder = out.with_suffix("") / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def made_clip(photo: Path, size: int, frames: int) -> tuple[float, int, Iterator[Step]]:
    """Frames per second, how many there are, and each with its true flow."""
    with Image.open(photo) as image:
        camera = clips.CameraMove(np.asarray(image.convert("RGB")), size, frames)

    def steps() -> Iterator[Step]:
        for number in range(frames):
            back = camera.flow(number) if number else None
            motion = None if back is None else (back, flow.inside(back))
            yield camera.frame(number), motion, 1.0

    return FPS, frames, steps()


def read_clip(path: Path, size: int) -> tuple[float, int | None, Iterator[Step]]:
    """As `made_clip`, of a file, with OpenCV's flow; how many there are is not known."""
    fps, frames = clips.read(path, size)

    def steps() -> Iterator[Step]:
        last: Frame | None = None
        for frame in frames:
            motion, share = None, 1.0
            if last is not None:
                back = flow.between(frame, last)
                trust = flow.trusted(frame, last, back, flow.between(last, frame))
                share = float(trust.mean())
                motion = (back, trust) if share >= flow.CUT else None
            last = frame
            yield frame, motion, share

    return fps, None, steps()


if __name__ == "__main__":
    main()
