"""gunicorn: its configuration, its worker, the administrative port."""
