"""Coarse to fine, and how the time is spent."""
