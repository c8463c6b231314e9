"""Whose colours the picture has."""
