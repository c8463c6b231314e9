"""What this computer has: CPUs, memory, a GPU, optional packages."""
