"""The paper: pure torch, no HTTP, no settings, no globals. Importable in a notebook without the service."""
