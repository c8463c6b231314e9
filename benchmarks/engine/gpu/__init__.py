"""Everything that is to be known about a GPU: the ceilings, what is reached of them, and whether the goals are met.

A part is a function of a `Bench` that yields rows: what it has found, piece by piece, each with a line of text as
its `str()`. The rows are printed as they come, and what the goals say is computed from them in the end: what is
printed and what is judged are the same, and a part that fails half-way loses nothing that it had found.
"""
