"""`serve`: check the settings, then become gunicorn."""

import os
import sys

import click

from service.settings import PREFIX, Settings, SettingsError, load_settings


class _WithSettings(click.Command):
    """A command whose help ends with a list of the settings."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each variable with what it means, and its default where there is one."""
        rows = []
        for name, field in Settings.model_fields.items():
            default = "" if field.default in (None, ()) else f" [{field.default}]"
            rows.append((PREFIX + name.upper(), f"{field.description}{default}"))
        with formatter.section("Environment variables [default]"):
            formatter.write_dl(rows)


@click.command("serve", cls=_WithSettings)
def serve_command() -> None:
    """Answer requests over HTTP, until SIGTERM. All settings are environment variables."""
    try:
        load_settings()
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    # Threads with an arena each keep what large pictures took: a gigabyte after some from phones.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    # In place of this process, so that signals reach gunicorn and its exit code is ours.
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "-c", "python:service.server.gunicorn_conf"])
