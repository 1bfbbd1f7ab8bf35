"""`vn dead-letters`: what could not be read, sending it again after a fix, and settling it otherwise."""

import getpass
from typing import Annotated, Literal

import typer

from processors.cli.app import new_app
from processors.cli.output import JSON, print_rows, row
from processors.domain.journal import DeadLetter, DeadLetterSettled
from processors.domain.seal import Seal, SealBroken
from processors.runtime.clock import wall
from processors.runtime.errors import UserError
from processors.runtime.kafka.user_client import Client
from processors.runtime.settings import Settings
from processors.topics import DEAD_LETTERS, DEAD_LETTERS_SETTLED, TOPICS

app = new_app("Shows what could not be read; sends it again.")


@app.command("list")
def list_dead_letters(*, as_json: Annotated[bool, JSON] = False) -> None:
    """Show the dead letters, the oldest first; the original's bytes are not shown."""
    print_rows(
        ({name: value for name, value in row(each).items() if name != "original"} for each in _dead_letters()),
        ("dead_letter_id", "reason", "detail", "received_at"),
        title="Dead letters",
        as_json=as_json,
        empty="There are no dead letters.",
    )


@app.command()
def replay(dead_letter_ids: Annotated[list[str], typer.Argument(help="The dead letters to send again.", metavar="ID")]) -> None:
    """Send originals again, byte for byte, to the topic they came from."""
    settings = Settings()
    known = {each.dead_letter_id: each for each in _dead_letters()}
    if missing := [each for each in dead_letter_ids if each not in known]:
        raise UserError(f"there is no dead letter {missing[0]}: `vn dead-letters list` shows those there are")
    if cut := [each for each in dead_letter_ids if known[each].length is not None]:
        raise UserError(f"{cut[0]} holds only the beginning of its original, which was too large to keep: ask its sender to send it anew")
    if timers := [each for each in dead_letter_ids if known[each].offset < 0]:
        raise UserError(f"{timers[0]} is a timer, not a record: it is tried again by itself every hour")
    topics = {topic.name: topic for topic in TOPICS}
    seal = settings.seal()
    client = Client(settings)
    for each in dead_letter_ids:
        letter = known[each]
        client.send(topics[letter.topic], [(letter.key, original(letter, seal))])
        _settle(client, each, "replayed", "sent again", getpass.getuser())
        typer.echo(each)


@app.command()
def settle(
    dead_letter_ids: Annotated[list[str], typer.Argument(help="The dead letters that somebody has seen to.", metavar="ID")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why nothing more is needed; kept with the dead letter.")],
    settler: Annotated[str | None, typer.Option("--as", help="Who says so. Default: the user of this computer.")] = None,
) -> None:
    """Say that somebody has seen to dead letters, so that they count as open no longer."""
    client = Client(Settings())
    known = {each.dead_letter_id for each in _dead_letters()}
    if missing := [each for each in dead_letter_ids if each not in known]:
        raise UserError(f"there is no dead letter {missing[0]}: `vn dead-letters list` shows those there are")
    for each in dead_letter_ids:
        _settle(client, each, "settled", reason, settler or getpass.getuser())
        typer.echo(each)


def _settle(client: Client, dead_letter_id: str, how: Literal["replayed", "settled"], reason: str, settled_by: str) -> None:
    settled = DeadLetterSettled(dead_letter_id=dead_letter_id, how=how, settled_by=settled_by, reason=reason, settled_at=wall())
    client.send(DEAD_LETTERS_SETTLED, [(dead_letter_id, client.codec.encode(settled))])


def original(letter: DeadLetter, seal: Seal) -> bytes | None:
    """Return the original's bytes, opened where they are sealed; raises UserError where the key is another."""
    if not letter.encrypted or letter.original is None:
        return letter.original
    try:
        return seal.open(letter.original, "dead-letter")
    except SealBroken:
        raise UserError(f"{letter.dead_letter_id} was sealed with another key: set VN_KEY_FILE to the key of that time") from None


def _dead_letters() -> list[DeadLetter]:
    letters = Client(Settings()).values(DEAD_LETTERS)
    return sorted(letters, key=lambda each: (each.received_at, each.dead_letter_id))
