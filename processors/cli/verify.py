"""`vn verify`: a registration site passes on the code that a registrant was sent."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from processors.cli.app import new_app
from processors.runtime.kafka.user_client import Client
from processors.runtime.settings import Settings
from processors.topics import VERIFICATIONS

app = new_app("Verifies a contact by the code it was sent.")


@app.command()
def verify(
    registration_id: Annotated[str, typer.Argument(help="The registration whose contact was sent the code.")],
    code: Annotated[str, typer.Argument(help="The six digits.")],
) -> None:
    """
    Send a verification code to the pipeline: the contact that was sent it counts as verified from then on.

    Whether the code was right is decided by the pipeline: see `vn tail registration.status`.
    """
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    sent = {"registration_id": registration_id, "code": code, "at": now}
    Client(Settings()).send(VERIFICATIONS, [(registration_id, json.dumps(sent).encode())])
    typer.echo(registration_id)
