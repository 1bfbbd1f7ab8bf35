"""How a command of `vn` is made: plain help, no traceback decoration, no shell completion of its own."""

import typer


def new_app(about: str) -> typer.Typer:
    """Return the application of one command or command group; `about` is its first line of help."""
    return typer.Typer(help=about, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
