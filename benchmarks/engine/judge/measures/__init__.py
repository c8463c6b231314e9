"""What is measured of a picture, each a module; `judge` takes them all."""
