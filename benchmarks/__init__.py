"""Speed and quality, each a command that prints a table."""

import os

# Before torch is imported, as the service does it: threads that spin while they wait disturb one another.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
