"""One thread that paints, the queue before it, and who is admitted to that."""
