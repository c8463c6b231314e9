"""VGG and how its convolutions are computed."""
