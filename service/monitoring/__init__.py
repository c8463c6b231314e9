"""What operations people see: metrics, logs, traces."""
