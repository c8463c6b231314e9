"""Start the service and let `python -m service figures` paint the paper's figures with it.

    python -m examples.figures [--from FOLDER] [--photo NAME] [--style NAME] [--size N] [--out FOLDER] ...

All options are those of `python -m service figures`. The pictures from white noise take longer than a service usually
lets a request take.
"""

import sys
from pathlib import Path

from examples.figures.command import figures_command
from examples.server import running

LOG = Path("out/figures/service.log")


def main() -> None:
    """Run it; the exit code is that of the command."""
    if "--help" in sys.argv:
        figures_command()
    with running(LOG, STYLIZE_MAX_BUDGET="3600") as url:
        figures_command(["--url", url, *sys.argv[1:]], standalone_mode=False)


if __name__ == "__main__":
    main()
