"""`python -m service`: serve, stylize, score, weights. Without a command it serves."""

import importlib
from collections.abc import Mapping

import click

from service import __version__
from service.machine import wait_without_spinning

# Name -> (module, attribute). Torch takes seconds to import, which --help should not.
_COMMANDS: Mapping[str, tuple[str, str]] = {
    "serve": ("service.cli.serve", "serve_command"),
    "stylize": ("service.cli.stylize", "stylize_command"),
    "score": ("service.cli.score", "score_command"),
    "weights": ("service.weights.command", "weights_command"),
}
_SHORT_HELP = {
    "serve": "Answer requests over HTTP (the default).",
    "stylize": "Paint a photograph like an artwork, without HTTP.",
    "score": "The paper's losses of a finished picture.",
    "weights": "Provision the weights of the network.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        wait_without_spinning()
        module, attribute = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_SHORT_HELP.items()))


@click.group(cls=_Commands, invoke_without_command=True)
@click.version_option(__version__, prog_name="stylize")
@click.pass_context
def main(context: click.Context) -> None:
    """A photograph in, a painting out: A Neural Algorithm of Artistic Style."""
    if context.invoked_subcommand is None:
        context.invoke(_serve())


def _serve() -> click.Command:
    command = main.get_command(click.Context(main), "serve")
    assert command is not None
    return command


if __name__ == "__main__":
    main(prog_name="stylize")
