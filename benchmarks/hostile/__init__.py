"""Of what is hostile: strange files, and attacks."""
