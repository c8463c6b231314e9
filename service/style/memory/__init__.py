"""How much memory a picture takes."""
