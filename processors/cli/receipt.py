"""`vn receipt`: sends delivery receipts as a provider would."""

from typing import Annotated

import typer

from processors.cli.app import new_app
from processors.cli.documents import documents, fail_if_broken, parse_files, text_field
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.topics import RECEIPTS

app = new_app("Sends delivery receipts.")

FILES = typer.Argument(help="Files of JSON, one receipt per line; - is standard input.", metavar="FILE")


@app.command()
def receipt(files: Annotated[list[str], FILES]) -> None:
    """Send delivery receipts to the pipeline and print one reference per line. Nothing of a broken file is sent."""
    settings = Settings()
    messages, broken = parse_files(files, documents)
    references = [text_field(message, "reference") for message in messages]
    if messages or not broken:
        UserClient(settings).send(RECEIPTS, zip(references, messages, strict=True))
    for each in references:
        typer.echo(each or "-")
    fail_if_broken(broken, "fix it and send it again")
