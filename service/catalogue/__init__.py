"""The artworks that the operator mounts: a folder of pictures, looked at again and again, and asked for by name."""

from service.catalogue.catalogue import Catalogue, Style
from service.catalogue.credits import CREDITS_FILE, Credits

__all__ = ["CREDITS_FILE", "Catalogue", "Credits", "Style"]
