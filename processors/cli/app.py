"""Creates the Typer application of a command: plain help, plain tracebacks, no shell completion."""

from typing import Any

import typer
from typer.core import TyperGroup


class Group(TyperGroup):
    """A command group whose help shows the whole first sentence of each command."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, first_sentence(self.commands[name].help or "")) for name in self.list_commands(ctx)])


def first_sentence(text: str) -> str:
    """Return the first sentence of a help text."""
    paragraph = " ".join(text.strip().partition("\n\n")[0].split())
    sentence, stop, _ = paragraph.partition(". ")
    return sentence + stop.strip()


def new_app(about: str) -> typer.Typer:
    """Return the application of one command or command group; `about` is its first line of help."""
    return typer.Typer(cls=Group, help=about, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
