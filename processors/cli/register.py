"""`vn register`: sends registrations as a registration site or call center would."""

import json
from collections.abc import Iterable
from typing import Annotated

import typer

from processors.cli import spreadsheet
from processors.cli.app import new_app
from processors.cli.documents import AVRO, WHITE_SPACE, documents, fail_if_broken, parse_files, text_field
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.topics import REGISTRATIONS

app = new_app("Sends registrations.")

FILES = typer.Argument(
    help="Files of JSON, one registration or many one a line, or CSV with a header; - is standard input.", metavar="FILE"
)


@app.command()
def register(files: Annotated[list[str], FILES]) -> None:
    """
    Send registrations to the pipeline and print one registration id per line.

    CSV columns: registration_id, registrant_id, source, sid, fbi, icots, booking, doc, each with its issuer (sid_issuer,
    ...: a state or an agency's ORI), given, middle, sur, full, birth_date, case_numbers, event_subtypes, language,
    time_zone, sms, email, voice, verified (empty means no), pin, created_at, expires_at; several values in one cell are
    separated by semicolons. Nothing of a file that cannot be read is sent.
    """
    settings = Settings()
    messages, broken = parse_files(files, registrations)
    ids = [text_field(message, "registration_id") for message in messages]
    if messages or not broken:
        UserClient(settings).send(REGISTRATIONS, zip(ids, messages, strict=True))
    for each in ids:
        typer.echo(each or "-")
    fail_if_broken(broken, "fix it and send it again")


def registrations(content: bytes) -> Iterable[bytes]:
    """Return the registrations of a file as JSON, converted if the file is CSV with a header."""
    if content.startswith(AVRO[1]) or spreadsheet.text_of(content).lstrip(WHITE_SPACE).startswith("{"):
        return documents(content)
    return [json.dumps(each).encode() for each in spreadsheet.registrations(content)]
