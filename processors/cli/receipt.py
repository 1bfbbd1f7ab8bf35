"""`vn receipt`: delivery receipts as a provider sends them."""

from typing import Annotated

import typer

from processors.cli.app import new_app
from processors.cli.documents import documents, fail_if, of_every_file, text_field
from processors.runtime.kafka.user_client import Client
from processors.runtime.settings import Settings
from processors.topics import RECEIPTS

app = new_app("Sends delivery receipts.")

FILES = typer.Argument(help="Files of JSON, one receipt or many one a line; - is standard input.", metavar="FILE")


@app.command()
def receipt(files: Annotated[list[str], FILES]) -> None:
    """Send delivery receipts to the pipeline and print one reference a line. Nothing of a broken file is sent."""
    settings = Settings()
    messages, broken = of_every_file(files, documents)
    references = [text_field(message, "reference") for message in messages]
    if messages or not broken:
        Client(settings).send(RECEIPTS, zip(references, messages, strict=True))
    for each in references:
        typer.echo(each or "-")
    fail_if(broken, "fix it and send it again")
