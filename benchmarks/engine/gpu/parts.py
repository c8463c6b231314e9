"""The parts, and how they are run: in an order in which the first ones matter most, one after the other."""

import time
import traceback
from collections.abc import Mapping, Sequence

import torch

from benchmarks.engine.gpu.bench import Bench, Part
from benchmarks.engine.gpu.evaluations import evaluations
from benchmarks.engine.gpu.memory import peaks
from benchmarks.engine.gpu.precisions import precisions
from benchmarks.engine.gpu.race import race
from benchmarks.engine.gpu.requests import requests

PARTS: Mapping[str, Part] = {
    "evaluations": evaluations,
    "memory": peaks,
    "race": race,
    "requests": requests,
    "precisions": precisions,
}


def run(
    bench: Bench, names: Sequence[str], minutes: float, parts: Mapping[str, Part] = PARTS
) -> tuple[list[object], list[str]]:
    """Run parts, and print what they say as they say it.

    Args:
        bench: for all of them.
        names: of the parts.
        minutes: after which nothing more is begun: a part ends at its next row.
        parts: by their names.

    Returns:
        Their rows, and the names of those that failed, were cut short or left out.
    """
    end = time.monotonic() + 60 * minutes
    rows: list[object] = []
    missing = []
    for name in names:
        began = time.monotonic()
        print(f"\n{name}", flush=True)
        try:
            if began >= end:
                raise TimeoutError(f"left out: {minutes:g} minutes are over")
            for row in parts[name](bench):
                rows.append(row)
                print(f"  {row}", flush=True)
                if time.monotonic() >= end:
                    raise TimeoutError(f"cut short: {minutes:g} minutes are over")
        except TimeoutError as error:
            print(f"  {error}", flush=True)
            missing.append(name)
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            print(f"  failed: {type(error).__name__}: {error}", flush=True)
            missing.append(name)
        finally:
            if bench.device.type == "cuda":
                torch.cuda.empty_cache()
        print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    return rows, missing
