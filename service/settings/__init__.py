"""The settings of the service, from the environment, and the keys that may come in."""
