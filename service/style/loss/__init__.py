"""The losses of the paper (eq. 1 to 7) and their gradients."""
