"""Output of commands: one JSON object per line for programs, a table for people."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import typer
from msgspec import Struct, structs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from processors.domain.time import iso

JSON = typer.Option("--json", help="One JSON object per line, for programs.")
WIDTH: Final = 140


def row(record: Struct) -> dict[str, Any]:
    """Return a record's fields, times as ISO 8601 UTC."""
    return {name: iso(value) if name in TIMES and isinstance(value, int) else value for name, value in structs.asdict(record).items()}


TIMES: Final = frozenset({"since", "deadline", "received_at", "settled_at", "set_at", "at"})


def print_json(value: object) -> None:
    """Print `value` as one line of JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str))


def print_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, title: str, as_json: bool, empty: str) -> None:
    """Print rows as JSON lines or as a table of `columns`; print `empty` if there are none."""
    if as_json:
        for each in rows:
            print_json(each)
        return
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        # Never wrap the first column, which is the input of other commands, nor times.
        table.add_column(column, no_wrap=index == 0 or column in TIMES, overflow="fold")
    for each in rows:
        table.add_row(*("" if each.get(column) is None else str(each[column]) for column in columns))
    if not table.row_count:
        typer.echo(empty)
        return
    console().print(table)


def console() -> Console:
    """Return the console for stdout: as wide as the terminal, or wide enough for a table if stdout is piped."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False)


def progress(*more: ProgressColumn) -> Progress:
    """Return a progress bar on stderr that disappears at the end; `more` are columns in addition to the usual ones."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), *more)
    return Progress(*columns, console=Console(stderr=True), transient=True)
