"""Paint the paper's figures with a service: the running one at --url, or one that is started for it.

    python -m examples.figures [--url URL] [--from FOLDER] [--photo NAME] [--style NAME] [--size N] [--out FOLDER] ...

The pictures from white noise take longer than a service usually lets a request take.
"""

import sys
from pathlib import Path

from devtools.running import RealServer
from examples.figures.command import figures_command

LOG = Path("out/figures/service.log")


def main() -> None:
    """Run it; the exit code is that of the command."""
    if {"--help", "--url"} & {argument.partition("=")[0] for argument in sys.argv}:
        figures_command()
    with RealServer(LOG, STYLIZE_MAX_BUDGET=3600) as server:
        figures_command(["--url", server.url, *sys.argv[1:]], standalone_mode=False)


if __name__ == "__main__":
    main()
