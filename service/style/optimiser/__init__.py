"""L-BFGS in the box of colours, and what it works on."""

from service.style.optimiser.graphs import Graphs

__all__ = [
    "Graphs",
]
