"""`vn unregister`: removes registrations."""

from typing import Annotated

import typer

from processors.cli.app import new_app
from processors.cli.arguments import not_blank
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.topics import REGISTRATIONS

app = new_app("Removes registrations.")


@app.command()
def unregister(
    registration_ids: Annotated[
        list[str], typer.Argument(callback=not_blank, help="The registrations to remove.", metavar="REGISTRATION_ID")
    ],
) -> None:
    """Remove registrations: their registrants get nothing more under them, not even what still waits to be sent."""
    UserClient(Settings()).send(REGISTRATIONS, ((each, None) for each in registration_ids))
    for each in registration_ids:
        typer.echo(each)
