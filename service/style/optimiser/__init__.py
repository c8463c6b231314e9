"""L-BFGS in the box of colours, and what it works on."""
