"""`vn dead-letters`: records that could not be read: list, replay, settle."""

import getpass
from typing import Annotated, Final

import typer

from processors.cli.app import new_app
from processors.cli.arguments import not_blank, reason_option
from processors.cli.output import JSON, print_rows, row
from processors.runtime.kafka import dead_letters
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings

OPEN: Final = "open"

app = new_app("Shows what could not be read; sends it again.")


@app.command("list")
def list_dead_letters(
    *,
    only_open: Annotated[bool, typer.Option("--open", help="Only those neither sent again nor settled.")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Show the dead letters, oldest first, and whether each is open, replayed or settled; the original's bytes are not shown."""
    client = UserClient(Settings())
    ended = dead_letters.closed_states(client)
    rows = (
        {name: value for name, value in row(each).items() if name != "original"} | {"state": ended.get(each.dead_letter_id, OPEN)}
        for each in dead_letters.dead_letters(client)
    )
    print_rows(
        (each for each in rows if each["state"] == OPEN or not only_open),
        ("dead_letter_id", "state", "reason", "detail", "received_at"),
        title="Dead letters",
        as_json=as_json,
        empty="No dead letter is open." if only_open else "There are no dead letters.",
    )


@app.command()
def replay(
    dead_letter_ids: Annotated[list[str], typer.Argument(callback=not_blank, help="The dead letters to send again.", metavar="ID")],
) -> None:
    """Send originals again, byte for byte, to the topic they came from."""
    settings = Settings()
    client = UserClient(settings)
    letters = dead_letters.find_dead_letters(client, dead_letter_ids)
    dead_letters.check_replayable(letters)
    seal = settings.seal()
    for letter in letters:
        dead_letters.replay(client, letter, seal, getpass.getuser())
        typer.echo(letter.dead_letter_id)


@app.command()
def settle(
    dead_letter_ids: Annotated[
        list[str], typer.Argument(callback=not_blank, help="The dead letters that need nothing more.", metavar="ID")
    ],
    *,
    reason: Annotated[str, reason_option("Why nothing more is needed; kept with the dead letter.")],
    settler: Annotated[str | None, typer.Option("--as", help="Who decided so. Default: the user of this computer.")] = None,
) -> None:
    """Record that dead letters need nothing more, so that they no longer count as open."""
    client = UserClient(Settings())
    for letter in dead_letters.find_dead_letters(client, dead_letter_ids):
        dead_letters.settle(client, letter, reason, settler or getpass.getuser())
        typer.echo(letter.dead_letter_id)
