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
        settings = load_settings()
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    # Threads with an arena each keep what large pictures took: a gigabyte after some from phones.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    if sys.stdout.isatty():
        click.echo(_welcome(settings))
    # In place of this process, so that signals reach gunicorn and its exit code is ours.
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "-c", "python:service.server.gunicorn_conf"])


def _welcome(settings: Settings) -> str:
    """What somebody at a terminal has to know: where to point the browser, when, and how it ends."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.url_host
    address = f"http://{host}:{settings.port}"
    page = f"open {address} in a browser" if settings.playground else f"send requests to {address}"
    return f"Stylize is starting. Once it says that it is ready, {page}. Ctrl+C stops it.\n"
