"""`vn verify`: sends the verification code of a registrant, as a registration site would."""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from processors.cli.app import new_app
from processors.cli.arguments import not_blank
from processors.runtime.errors import UsageError
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.topics import VERIFICATIONS

CODE: Final = re.compile("[0-9]{6}")

app = new_app("Verifies a contact by the code it was sent.")


@app.command()
def verify(
    registration_id: Annotated[str, typer.Argument(callback=not_blank, help="The registration whose contact was sent the code.")],
    code: Annotated[str, typer.Argument(help="The six digits.")],
) -> None:
    """
    Send a verification code to the pipeline: the contact that the code was sent to then counts as verified.

    The pipeline decides whether the code was right: see `vn tail registration.status`.
    """
    if not CODE.fullmatch(code):
        raise UsageError("a code is six digits, as the contact was sent them")
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    sent = {"registration_id": registration_id, "code": code, "at": now}
    UserClient(Settings()).send(VERIFICATIONS, [(registration_id, json.dumps(sent).encode())])
    typer.echo(registration_id)
