"""What an optional extra of pyproject.toml requires, for uv: extra.py NAME."""

import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def required(name: str) -> list[str]:
    """Requirements of an extra, as pyproject.toml has them.

    Raises:
        KeyError: there is no such extra.
    """
    extras: dict[str, list[str]] = tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"]
    return extras[name]


if __name__ == "__main__":
    print(*required(sys.argv[1]), sep="\n")
