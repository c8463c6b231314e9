"""The paper's Figures 1 to 3, painted by a running service."""
