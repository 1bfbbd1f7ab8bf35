"""
Output of commands: one JSON object per line for programs, a table for people.

A table that is too wide for the terminal is a list instead, with a line for each value. Identifiers are never broken.
"""

import json
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import typer
from msgspec import Struct, structs
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from processors.domain.time import iso

JSON = typer.Option("--json", help="One JSON object per line, for programs.")
WIDTH: Final = 140
READABLE: Final = 30  # characters, the least width of a column of sentences
PADDING: Final = 3  # characters around a column: a blank on each side, and a line


def row(record: Struct) -> dict[str, Any]:
    """Return a record's fields, times as ISO 8601 UTC."""
    return {name: iso(value) if name in TIMES and isinstance(value, int) else value for name, value in structs.asdict(record).items()}


TIMES: Final = frozenset({"since", "deadline", "received_at", "settled_at", "set_at", "at"})
IDENTIFIERS: Final = frozenset({"message_id", "group"})  # besides a table's first column


def print_json(value: object) -> None:
    """Print `value` as one line of JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str))


def print_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, title: str, as_json: bool, empty: str) -> None:
    """Print rows as JSON lines or as a table of `columns`; print `empty` if there are none."""
    if as_json:
        for each in rows:
            print_json(each)
        return
    shown = [["" if each.get(column) is None else str(each[column]) for column in columns] for each in rows]
    if not shown:
        typer.echo(empty)
        return
    # Identifiers are the input of other commands: never break one.
    whole = [index == 0 or column in TIMES or column in IDENTIFIERS for index, column in enumerate(columns)]
    needs = [column_need((name, *values), whole=each) for name, values, each in zip(columns, zip(*shown, strict=True), whole, strict=True)]
    width = console().width if sys.stdout.isatty() else max(WIDTH, sum(each.least + PADDING for each in needs) + 1)
    widths = column_widths(needs, width)
    if widths is None:
        typer.echo("\n".join((title, *chain.from_iterable(listed_row(columns, each, width) for each in shown))))
        return
    table = Table(title=title, title_justify="left")
    for name, wide in zip(columns, widths, strict=True):
        table.add_column(name, width=wide)
    for values in shown:
        table.add_row(*map(Text, values))
    Console(file=sys.stdout, width=width, highlight=False).print(table)


class ColumnNeed(NamedTuple):
    """How wide a column must be at least, and how wide it would be without wrapping."""

    least: int
    most: int


def column_need(texts: Iterable[str], *, whole: bool) -> ColumnNeed:
    """Return what a column with these texts needs; no text is wrapped if they are `whole`, otherwise only between words."""
    texts = list(texts)
    most = max(map(cell_len, texts))
    if whole:
        return ColumnNeed(most, most)
    longest_word = max((cell_len(word) for text in texts for word in text.split()), default=0)
    return ColumnNeed(max(longest_word, min(most, READABLE)), most)


def column_widths(needs: Sequence[ColumnNeed], width: int) -> list[int] | None:
    """Return the widths of a table's columns; None if the table does not fit into `width` characters."""
    spare = width - sum(each.least + PADDING for each in needs) - 1
    if spare < 0:
        return None
    widths = [each.least for each in needs]
    wrapped = sorted((index for index, each in enumerate(needs) if each.most > each.least), key=lambda index: needs[index].most)
    for position, index in enumerate(wrapped):
        more = min(needs[index].most - needs[index].least, spare // (len(wrapped) - position))
        widths[index] += more
        spare -= more
    return widths


def listed_row(columns: Sequence[str], values: Sequence[str], width: int) -> Iterator[str]:
    """Yield the lines of a row that is no table's: a line for each value that is not empty, after a blank one."""
    label = max(map(len, columns)) + 2
    yield ""
    for column, value in zip(columns, values, strict=True):
        if value:
            wrapped = textwrap.wrap(value, max(READABLE, width - label), break_long_words=False, break_on_hyphens=False)
            yield from (f"{column if number == 0 else '':<{label}}{line}" for number, line in enumerate(wrapped))


def console() -> Console:
    """Return the console for stdout: as wide as the terminal, or wide enough for a table if stdout is piped."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False)


def progress(*more: ProgressColumn) -> Progress:
    """Return a progress bar on stderr that disappears at the end; `more` are columns in addition to the usual ones."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), *more)
    return Progress(*columns, console=Console(stderr=True), transient=True)
