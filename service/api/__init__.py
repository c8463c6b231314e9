"""HTTP: every resource of the service."""
