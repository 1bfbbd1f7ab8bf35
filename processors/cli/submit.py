"""`vn submit`: sends submissions as an agency would."""

from typing import Annotated

import typer

from processors.cli.app import new_app
from processors.cli.documents import documents, fail_if_broken, parse_files
from processors.ingest.submission_ids import submission_ids
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.topics import SUBMISSIONS

app = new_app("Sends submissions as an agency would.")

FILES = typer.Argument(help="Files of XML, JSON, or one JSON document per line; - is standard input.", metavar="FILE")


@app.command()
def submit(
    files: Annotated[list[str], FILES],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Send each file's bytes as one record, whatever they are.")] = False,
) -> None:
    """
    Send submissions to the pipeline and print one message id per line.

    The command only splits the files into messages; the pipeline decides whether they are correct: see `vn explain` and
    `vn dead-letters list`. A record whose id cannot be read is sent too, and printed as `-`. Nothing of a broken file is
    sent, except with --raw.
    """
    settings = Settings()
    messages, broken = parse_files(files, (lambda content: [content]) if raw else documents)
    if messages or not broken:
        client = UserClient(settings)
        ids = [submission_ids(client.codec.decode_external(message)) for message in messages]
        client.send(SUBMISSIONS, ((ori, message) for (_, ori), message in zip(ids, messages, strict=True)))
        for message_id, _ in ids:
            typer.echo(message_id or "-")
    fail_if_broken(broken, "fix it, or send it as it is with --raw")
