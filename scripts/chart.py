"""Chart.yaml as a release has it: with where it comes from, which only a release knows.

    python -m scripts.chart CHART https://git.example.org/team/stylize

writes the address into the Chart.yaml of a copy of the chart, as its home, its source and, without the last part, as
that of its maintainers (https://helm.sh/docs/topics/charts).
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import yaml


def published(chart: str, source: str) -> str:
    """The text of Chart.yaml with home, sources and maintainers.

    Raises:
        ValueError: the address of the sources is no https://HOST/OWNER/NAME.
    """
    parts = urlsplit(source)
    owner, _, name = parts.path.strip("/").rpartition("/")
    if parts.scheme != "https" or not parts.netloc or not owner or not name:
        raise ValueError(f"{source!r} is not where sources are: give https://HOST/OWNER/NAME")
    maintainer = {"name": owner, "url": f"https://{parts.netloc}/{owner}"}
    more = {"home": source, "sources": [source], "maintainers": [maintainer]}
    return chart.rstrip("\n") + "\n" + yaml.safe_dump(more, sort_keys=False)


if __name__ == "__main__":
    path = Path(sys.argv[1]) / "Chart.yaml"
    path.write_text(published(path.read_text(), sys.argv[2]))
