"""The network that the engine paints with, loaded and warmed up."""
