"""A fleet of pods that exists on paper: what benchmarks.fleet asks."""
