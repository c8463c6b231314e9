"""Stylize: A Neural Algorithm of Artistic Style (arXiv:1508.06576) as an HTTP service."""

__version__ = "0.1.0"
