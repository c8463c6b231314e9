"""The figures of the paper, painted by a running service: a client of its API, and nothing of its inside."""
