"""`vn local`: a broker and a store on this machine."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from processors.cli.app import new_app
from processors.runtime.local import LocalCluster
from processors.runtime.settings import Settings

app = new_app("A local broker and store: real Apache Kafka and real Redis on free ports of this machine, in the background.")

Folder = Annotated[Path, typer.Option("--dir", help="The folder that holds their data, ports and key.")]
HERE = Path(".vn")


@app.callback()
def local() -> None:
    """A local broker and store: real Apache Kafka and real Redis on free ports of this machine, in the background."""
    Settings()  # a misspelled variable is an error of every command


@app.command()
def up(folder: Folder = HERE) -> None:
    """
    Start whatever is not running, and return when both answer.

    Prints the environment variables that the other commands read, and nothing else: `eval "$(vn local up)"` sets them.
    The first start fetches Kafka (45 MB), once for this user. Data and ports are kept between starts.
    """
    addresses = LocalCluster(folder, long_running=True).up(progress=_show_progress)
    _clear_progress()
    for name, value in addresses.environment.items():
        typer.echo(f"export {name}={quote(value)}")


@app.command()
def down(folder: Folder = HERE) -> None:
    """Stop both. Their data is kept; delete the folder to remove it."""
    LocalCluster(folder).down(_show_progress)
    _clear_progress()


@app.command()
def status(
    folder: Folder = HERE,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show what is running. Exit code 0 if both answer, else 1."""
    now = LocalCluster(folder).status()
    if as_json:
        typer.echo(json.dumps(asdict(now) | {"answers": now.answers}))
    else:
        for name, service in (("broker", now.broker), ("store", now.store)):
            state = "answers" if service.answers else "runs, does not answer" if service.pid else "does not run"
            typer.echo(f"{name:7} {state:22} {service.address:30} pid {service.pid or '-':<8} version {service.version or '-'}")
    if not now.answers:
        raise typer.Exit(1)


def _show_progress(what: str) -> None:
    """Show progress on stderr; on a terminal in a single line."""
    if sys.stderr.isatty():
        typer.echo(f"\r\033[K{what}", err=True, nl=False)
    else:
        typer.echo(what, err=True)


def _clear_progress() -> None:
    """Empty the line of progress on a terminal."""
    if sys.stderr.isatty():
        typer.echo("\r\033[K", err=True, nl=False)
