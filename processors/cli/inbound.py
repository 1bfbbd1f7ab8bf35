"""`vn inbound`: sends messages from registrants, such as STOP, as a provider would."""

from typing import Annotated

import typer

from processors.cli.app import new_app
from processors.cli.documents import documents, fail_if_broken, parse_files
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.topics import INBOUND

app = new_app("Sends messages from registrants.")

FILES = typer.Argument(help="Files of JSON, one message or many one a line; - is standard input.", metavar="FILE")


@app.command()
def inbound(files: Annotated[list[str], FILES]) -> None:
    """
    Send messages from registrants to the pipeline and print how many were sent.

    Each has the fields provider, channel, from, to, body, occurred_at and, to be counted only once, id. Nothing of a broken file is sent.
    """
    settings = Settings()
    messages, broken = parse_files(files, documents)
    if messages or not broken:
        UserClient(settings).send(INBOUND, ((None, message) for message in messages))
    typer.echo(f"{len(messages)} sent")
    fail_if_broken(broken, "fix it and send it again")
