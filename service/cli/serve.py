"""`serve`: check the settings, then become gunicorn."""

import os
import sys

import click

from service.settings import SettingsError, load_settings


@click.command("serve")
def serve_command() -> None:
    """Answer requests over HTTP. Settings are environment variables: STYLIZE_PORT, STYLIZE_BACKBONE, ..."""
    try:
        load_settings()
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    # Threads with an arena each keep what large pictures took: a gigabyte after some from phones.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    # In place of this process, so that signals reach gunicorn and its exit code is ours.
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "-c", "python:service.gunicorn_conf"])
