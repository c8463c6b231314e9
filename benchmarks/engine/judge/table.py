"""The table: of each method the median of each measure over all pairs, and how much it differs among seeds."""

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence

from benchmarks.engine.judge.measures.judge import MEASURES
from benchmarks.engine.judge.store import Judged

Results = Mapping[str, Mapping[str, Sequence[Judged]]]
"""Method -> pair -> the pictures of its seeds, one at least."""


def table(results: Results) -> list[dict[str, str]]:
    """A row for each method: `median ± spread` for each measure, and how far two seeds are apart in levels."""
    return [{"method": name, "pairs": str(len(pairs)), **_row(pairs)} for name, pairs in results.items()]


def printed(rows: Sequence[Mapping[str, str]]) -> str:
    """The rows as Markdown, in aligned columns."""
    if not rows:
        return ""
    names = list(rows[0])
    width = {name: max(len(name), *(len(row[name]) for row in rows)) for name in names}
    lines = [{name: name for name in names}, {name: "-" * width[name] for name in names}, *rows]
    return "\n".join(
        "| " + " | ".join(f"{line[name]:{width[name]}}" for name in names) + " |" for line in lines
    )


def _row(pairs: Mapping[str, Sequence[Judged]]) -> dict[str, str]:
    cells = {
        name: _cell([[one.measures[name] for one in seeds] for seeds in pairs.values()]) for name in MEASURES
    }
    apart = [
        float((a.picture.double() - b.picture.double()).abs().mean())
        for seeds in pairs.values()
        for a, b in itertools.combinations(seeds, 2)
    ]
    return {**cells, "seeds": f"{statistics.median(apart):.1f}" if apart else "-"}


def _cell(values: Sequence[Sequence[float]]) -> str:
    """Of the values of each pair's seeds: the median over pairs of their means, and of their standard deviations."""
    known = [seeds for seeds in values if not any(map(math.isnan, seeds))]
    if not known:
        return "-"
    middle = statistics.median(statistics.fmean(seeds) for seeds in known)
    spread = statistics.median(statistics.pstdev(seeds) for seeds in known)
    return f"{middle:.3g} ± {spread:.1g}" if max(map(len, known)) > 1 else f"{middle:.3g}"
