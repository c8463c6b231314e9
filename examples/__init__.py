"""Pictures that are free to ship, and the programs that paint them."""
