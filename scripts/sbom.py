"""What is in the image, as a bill of materials in CycloneDX 1.6.

Python packages are those of requirements/runtime.txt and of the extras, with the hashes of their files, without
the lines for other systems and other versions of Python. Debian's packages are those of the image's
/var/lib/dpkg/status, where given.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

import click
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]

# The Dockerfile's: python:3.11-slim-bookworm on x86-64.
IMAGE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.9",
    "python_version": "3.11",
    "sys_platform": "linux",
}


def locked(text: str, environment: dict[str, str]) -> str:
    """The part of a lock file that is installed in an environment (PEP 508's markers)."""
    lines = text.replace("\\\n", " ").splitlines()
    kept = []
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#"):
            requirement, *hashes = line.split(" --hash=")
            marker = Requirement(requirement).marker
            if marker is None or marker.evaluate(dict(environment)):
                kept.append(" --hash=".join([requirement.strip(), *(each.strip() for each in hashes)]))
    return "\n".join(kept) + "\n"


def everything(environment: dict[str, str]) -> str:
    """The parts of all lock files of the image that are installed in an environment; a package once."""
    texts = [(ROOT / f"requirements/{name}.txt").read_text() for name in ("runtime", "heic", "otel")]
    lines = [line for text in texts for line in locked(text, environment).splitlines()]
    return "\n".join({line.partition("==")[0]: line for line in lines}.values()) + "\n"


def debian(status: str) -> Iterator[dict[str, Any]]:
    """CycloneDX components of the packages that are installed, from the text of /var/lib/dpkg/status."""
    for paragraph in status.split("\n\n"):
        fields = HeaderParser().parsestr(paragraph.strip() + "\n")
        if "installed" in fields.get("Status", "").split():
            name, version, architecture = (fields[field] for field in ("Package", "Version", "Architecture"))
            url = PackageURL("deb", "debian", name, version, {"arch": architecture}).to_string()
            yield {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}


def bill(dpkg: Path | None) -> dict[str, Any]:
    """The bill of materials."""
    packages = [] if dpkg is None else list(debian(dpkg.read_text()))
    if dpkg is not None and not packages:
        raise click.UsageError(f"{dpkg} names no installed package: give the image's /var/lib/dpkg/status.")
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "-", "--output-reproducible"]
    done = subprocess.run(
        [*command, "--sv", "1.6", "--of", "JSON", "--pyproject", str(ROOT / "pyproject.toml")],
        input=everything(IMAGE),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(done.stderr)
    document: dict[str, Any] = json.loads(done.stdout)
    for component in document["components"]:
        component.pop("description", None)  # the line of a file that nobody has
    document["components"] += packages
    return document


@click.command(help=__doc__)
@click.option("--dpkg", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("-o", "--out", default="out/sbom.json", type=click.Path(path_type=Path), show_default=True)
def main(dpkg: Path | None, out: Path) -> None:
    """Write the bill of materials."""
    text = json.dumps(bill(dpkg), indent=2, sort_keys=True) + "\n"
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise click.ClickException(f"This is no valid CycloneDX: {error}")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text)
    print(f"{out}: {len(json.loads(text)['components'])} packages")


if __name__ == "__main__":
    main()
