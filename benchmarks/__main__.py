"""`python -m benchmarks NAME`: one entry for every measurement; without a name, what there is."""

import importlib
import sys
from collections.abc import Mapping

# Name -> (module, what it measures).
BENCHMARKS: Mapping[str, tuple[str, str]] = {
    "evaluation": ("engine.evaluation", "an evaluation of loss and gradient, against its convolutions"),
    "budgets": ("engine.budgets", "whole requests with and without a budget"),
    "quality": ("engine.quality", "the loss of what is delivered, against plain Gatys"),
    "judge": ("engine.judge.command", "pictures of many pairs, by many measures and by people"),
    "look": ("engine.look", "one request at two sizes, compared"),
    "memory": ("engine.memory", "memory, predicted and taken"),
    "preparation": ("engine.preparation", "what is done with pictures before they are painted"),
    "gpu": ("engine.gpu.__main__", "everything about a GPU, goal by goal"),
    "load": ("service.load", "overload, and who is refused how soon"),
    "faults": ("service.faults", "killed clients"),
    "slow": ("service.slow", "slow clients"),
    "restart": ("service.restart", "restarts behind a proxy"),
    "soak": ("service.soak", "a thousand requests, and memory that runs out"),
    "fleet": ("service.fleet", "a fleet of pods, simulated"),
    "attack": ("hostile.attack", "what attacks cost other clients"),
    "hostile": ("hostile.mutations", "mutated files and bombs"),
    "flood": (
        "hostile.flood",
        "mutated files and profiles over HTTP: what others get, and what memory stays",
    ),
    "corpus": ("hostile.corpus", "Pillow's collection of strange files"),
}


def main() -> None:
    """Run the named one with the rest of the command line."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in BENCHMARKS:
        print("usage: python -m benchmarks NAME [--help]\n", file=sys.stderr)
        for each, (_, what) in BENCHMARKS.items():
            print(f"  {each:12} {what}", file=sys.stderr)
        sys.exit(2)
    module = f"benchmarks.{BENCHMARKS[name][0]}"
    sys.argv = [f"python -m benchmarks {name}", *sys.argv[2:]]
    importlib.import_module(module).main()


if __name__ == "__main__":
    main()
