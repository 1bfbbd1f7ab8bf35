"""`vn register` and `vn unregister`: registrations as a registration site or call centre sends them."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from processors.cli.app import new_app
from processors.cli.submit import contents, document, split
from processors.runtime.errors import UserError
from processors.runtime.kafka.user_client import Client
from processors.runtime.settings import Settings
from processors.topics import REGISTRATIONS

app = new_app("Sends registrations.")

FILES = typer.Argument(
    help="Files of JSON, one registration or many one a line, or CSV with a header; - is standard input.", metavar="FILE"
)

# The CSV columns and where each goes; a column that holds several values parts them with semicolons.
PLAIN: Final = ("registration_id", "registrant_id", "source", "language", "time_zone", "pin", "created_at", "expires_at")
SEVERAL: Final = ("case_numbers", "event_subtypes")
NAMES: Final = ("given", "middle", "sur", "full")
SCHEMES: Final = {"sid": "SID", "fbi": "FBI", "icots": "ICOTS", "booking": "BOOKING", "doc": "DOC"}
CHANNELS: Final = ("sms", "email", "voice")
COLUMNS: Final = frozenset({*PLAIN, *SEVERAL, *NAMES, *SCHEMES, *CHANNELS, "birth_date", "verified"})
TRUE: Final = frozenset({"", "true", "yes", "1"})


@app.command()
def register(files: Annotated[list[str], FILES]) -> None:
    """
    Send registrations to the pipeline and print one registration id a line.

    CSV columns: registration_id, registrant_id, source, sid, fbi, icots, booking, doc, given, middle, sur, full,
    birth_date, case_numbers, event_subtypes, language, time_zone, sms, email, voice, verified (empty means yes), pin,
    created_at, expires_at; several values in one cell are parted by semicolons.
    """
    messages = [message for file in files for message in registrations(contents(file))]
    ids = [registration_id(message) for message in messages]
    Client(Settings()).send(REGISTRATIONS, zip(ids, messages, strict=True))
    for each in ids:
        typer.echo(each or "-")


def registrations(content: bytes) -> Iterator[bytes]:
    """Yield the registrations of a file as JSON, converted where the file is CSV with a header."""
    first = content.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")[0]
    if b"registration_id" in first and not first.startswith(b"{"):
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise UserError(f"line {line} of the CSV is not UTF-8 text: save the file as UTF-8") from None
        try:
            yield from (json.dumps(each).encode() for each in from_csv(text))
        except csv.Error as error:
            raise UserError(f"the CSV cannot be read ({error}): write it anew, with a header") from None
    else:
        yield from split(content)


def from_csv(text: str) -> Iterator[dict[str, Any]]:
    """Yield a registration a row; raises UserError where the header names a column that there is not."""
    table = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    header = {name.strip().casefold() for name in table.fieldnames or ()}
    if unknown := sorted(header - COLUMNS):
        raise UserError(f"the CSV header names {', '.join(unknown)}, which is no column of a registration: see `vn register --help`")
    for row in table:
        yield _registration({name.strip().casefold(): (value or "").strip() for name, value in row.items() if name})


def _registration(row: dict[str, str]) -> dict[str, Any]:
    verified = row.get("verified", "").casefold() in TRUE
    offender: dict[str, Any] = {
        "identifiers": [{"scheme": scheme, "value": value} for column, scheme in SCHEMES.items() for value in _parts(row.get(column, ""))],
    }
    if name := {part: row[part] for part in NAMES if row.get(part)}:
        offender["name"] = name
    if row.get("birth_date"):
        offender["birth_date"] = row["birth_date"]
    return {
        **{column: row[column] for column in PLAIN if row.get(column)},
        **{column: _parts(row.get(column, "")) for column in SEVERAL},
        "offender": offender,
        "contacts": [
            {"channel": channel, "address": address, "verified": verified}
            for channel in CHANNELS
            for address in _parts(row.get(channel, ""))
        ],
    }


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def registration_id(message: bytes) -> str | None:
    """Return a registration's id, None where it cannot be read."""
    value = (document(message) or {}).get("registration_id")
    return value.strip() if isinstance(value, str) and value.strip() else None
