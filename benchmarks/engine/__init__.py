"""Of the engine: an evaluation, its loss, its memory, a GPU."""
