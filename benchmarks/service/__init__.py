"""Of the service: load, faults, slow clients, restarts, a fleet."""
