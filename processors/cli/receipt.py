"""`vn receipt`: delivery receipts as a provider sends them."""

from typing import Annotated

import typer

from processors.cli.app import new_app
from processors.cli.submit import contents, document, split
from processors.runtime.kafka.user_client import Client
from processors.runtime.settings import Settings
from processors.topics import RECEIPTS

app = new_app("Sends delivery receipts.")

FILES = typer.Argument(help="Files of JSON, one receipt or many one a line; - is standard input.", metavar="FILE")


@app.command()
def receipt(files: Annotated[list[str], FILES]) -> None:
    """Send delivery receipts to the pipeline and print one reference a line."""
    messages = [message for file in files for message in split(contents(file))]
    references = [_reference(message) for message in messages]
    Client(Settings()).send(RECEIPTS, zip(references, messages, strict=True))
    for each in references:
        typer.echo(each or "-")


def _reference(message: bytes) -> str | None:
    value = (document(message) or {}).get("reference")
    return value if isinstance(value, str) and value else None
