"""The bill of materials names what the image has, and no more."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scripts.sbom import IMAGE, debian, locked, main

ROOT = Path(__file__).parents[2]
LOCK = "".join((ROOT / f"requirements/{name}.txt").read_text() for name in ("runtime", "heic", "otel"))

STATUS = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Version: 2.36-9+deb12u10
Description: GNU C Library: Shared libraries
 Contains the standard libraries.

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: tzdata
Status: install ok installed
Architecture: all
Version: 2025b-0+deb12u1
"""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("sbom")
    (folder / "status").write_text(STATUS)
    out = folder / "deep" / "sbom.json"
    result = CliRunner().invoke(main, ["--dpkg", str(folder / "status"), "-o", str(out)])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def test_it_is_about_this_service(document: dict[str, Any]) -> None:
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["name"] == "stylize"
    assert "timestamp" not in document["metadata"]  # the same lock gives the same bill


def test_every_locked_package_of_the_image_is_there_once_with_its_hashes(document: dict[str, Any]) -> None:
    components = {
        each["name"]: each for each in document["components"] if each["purl"].startswith("pkg:pypi")
    }
    names = set(re.findall(r"^([a-z0-9-]+)==", LOCK, re.MULTILINE))
    assert names - set(components) == {"colorama"}  # Windows only
    assert set(components) <= names
    for component in components.values():
        pinned = f"{component['name']}=={component['version']}"
        hashes = {each["content"] for each in component["externalReferences"][0]["hashes"]}
        block = next(part for part in re.split(r"\n(?=[a-z])", LOCK) if part.startswith(pinned))
        assert hashes == set(re.findall(r"sha256:([0-9a-f]{64})", block))


def test_installed_packages_of_debian_are_there(document: dict[str, Any]) -> None:
    found = [each["purl"] for each in document["components"] if each["purl"].startswith("pkg:deb")]
    assert found == [
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64",
        "pkg:deb/debian/tzdata@2025b-0%2Bdeb12u1?arch=all",
    ]


def test_lines_for_other_systems_and_versions_of_python_are_left_out() -> None:
    lock = """\
# comment
a==1 ; sys_platform == 'win32' \\
    --hash=sha256:00
    # via b
b==2 ; python_full_version < '3.12' \\
    --hash=sha256:01 \\
    --hash=sha256:02
b==3 ; python_full_version >= '3.12' \\
    --hash=sha256:03
"""
    assert locked(lock, IMAGE) == ("b==2 ; python_full_version < '3.12' --hash=sha256:01 --hash=sha256:02\n")


def test_a_file_that_is_no_status_is_refused_with_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "status").write_text("libc6\n")
    assert list(debian("libc6\n")) == []
    result = CliRunner().invoke(main, ["--dpkg", str(tmp_path / "status"), "-o", str(tmp_path / "sbom.json")])
    assert result.exit_code == 2
    assert "give the image's /var/lib/dpkg/status" in result.output
    assert not (tmp_path / "sbom.json").exists()


def test_it_is_for_the_image_s_python() -> None:
    base = re.search(r"^ARG BASE=python:(\S+?)-slim", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert base is not None
    assert base[1] == IMAGE["python_version"]
