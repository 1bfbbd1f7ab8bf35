"""`vn submit`: sends submissions as an agency would."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from processors.cli.app import new_app
from processors.ingest.peek import message_labels
from processors.runtime.errors import UserError
from processors.runtime.kafka.user_client import Client
from processors.runtime.settings import Settings
from processors.topics import SUBMISSIONS

app = new_app("Sends submissions as an agency would.")

FILES = typer.Argument(help="Files of XML, JSON, or many JSON documents one a line; - is standard input.", metavar="FILE")


@app.command()
def submit(
    files: Annotated[list[str], FILES],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Send each file's bytes as one record, whatever they are.")] = False,
) -> None:
    """
    Send submissions to the pipeline and print one message id a line.

    Only tells the messages apart; whether they are right is for the pipeline to say: see `vn explain` and
    `vn dead-letters list`. A record whose id cannot be read is sent too, and printed as `-`.
    """
    messages = [message for file in files for message in ([contents(file)] if raw else split(contents(file)))]
    labels = [message_labels(message) for message in messages]
    Client(Settings()).send(SUBMISSIONS, ((ori, message) for (_, ori), message in zip(labels, messages, strict=True)))
    for message_id, _ in labels:
        typer.echo(message_id or "-")


def contents(file: str) -> bytes:
    """Return what the file holds; `-` is standard input."""
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}): name a file that exists") from None


def split(content: bytes) -> Iterator[bytes]:
    """Yield the messages of a file: its lines where any line is a JSON object of its own, else the whole."""
    if document(content) is None and any(document(line) is not None for line in content.splitlines()):
        yield from (line for line in content.splitlines() if line.strip())
    else:
        yield content


def document(text: bytes) -> dict[str, Any] | None:
    """Return the JSON object that `text` is, None where it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
