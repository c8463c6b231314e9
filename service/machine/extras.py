"""Optional packages: whether what a setting asks for is installed. Imports none of them, nor torch."""

from importlib.metadata import PackageNotFoundError, version

PILLOW_HEIF = (1, 8, 1)
"""The oldest pillow-heif that is used: the libheif 1.23.6 in it refuses pictures larger than their header says.

Before 1.7.0 it brings libraries with holes of 2026, one of them with a working exploit (CVE-2026-84383).
"""


def why_no_traces() -> str | None:
    """What is in the way of sending traces, and what to do about it; None if nothing is."""
    try:
        for package in ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"):
            version(package)
    except PackageNotFoundError as missing:
        return f"{missing.name} is not installed: run pip install 'stylize[otel]'"
    return None


def why_no_heic() -> str | None:
    """What is in the way of reading HEIC, and what to do about it; None if nothing is."""
    oldest = ".".join(map(str, PILLOW_HEIF))
    try:
        found = version("pillow-heif")
    except PackageNotFoundError:
        return "pillow-heif is not installed: run pip install 'stylize[heic]'"
    if tuple(int(part) for part in found.split(".")[:3] if part.isdigit()) < PILLOW_HEIF:
        return f"pillow-heif is {found}, and versions before {oldest} are not safe: install {oldest} or newer"
    return None
