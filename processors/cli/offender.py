"""`vn offender`: identities of offenders, and merging or splitting them by hand."""

import getpass
from typing import Annotated, Any

import msgspec
import typer

from processors.cli.app import new_app
from processors.cli.arguments import not_blank, reason_option
from processors.cli.output import JSON, print_json
from processors.domain.review import OffenderAction
from processors.runtime.errors import UserError
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.runtime.wire.changelog import State
from processors.topics import IDENTIFY_STATE, REVIEW_ACTIONS, REVIEWS

app = new_app("Shows an offender's identity; merges two who are one person, splits one who is two.")

REASON = reason_option("Why; kept in the audit trail.")
REVIEWER = typer.Option("--as", help="Who decides; kept in the audit trail. Default: the user of this computer.")
KEY = typer.Argument(callback=not_blank, help="The offender's key, as `vn explain` shows it.", metavar="KEY")


@app.command()
def show(key: Annotated[str, KEY], *, as_json: Annotated[bool, JSON] = False) -> None:
    """Show an offender's identifiers, names, former keys, registrations and open reviews."""
    client = UserClient(Settings())
    found = describe(key, identify_states(client))
    found["reviews"] = sorted(
        each.review_id for each in client.table(REVIEWS).values() if each.state == "open" and each.offender in {found["offender"], key}
    )
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        typer.echo(f"{name:<14} {', '.join(map(str, value)) if isinstance(value, list | tuple) else value}")


def identify_states(client: UserClient) -> dict[str, dict[str, Any]]:
    """Return the states of identify by key, read from its changelog."""
    kept = client.table(IDENTIFY_STATE)
    return {key[1:]: msgspec.json.decode(each.state) for key, each in kept.items() if isinstance(each, State)}


def describe(key: str, kept: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return identify's state of an offender; raises UserError if there is none with this key."""
    state = kept.get(key, {})
    current = state.get("into", key) if state.get("type") == "merged" else key
    offender = kept.get(current, {})
    if offender.get("type") != "offender":
        raise UserError(f"no offender {key} is known: `vn explain MESSAGE_ID` shows the keys of a message's offenders")
    return {
        "offender": current,
        "identifiers": offender.get("marks", []),
        "names": offender.get("names", []),
        "formerly": offender.get("formerly", []),
        "kept_apart": offender.get("apart", []),
        "registrations": sorted(
            name[1:] for name, each in kept.items() if each.get("type") == "enrolled" and current in each.get("offenders", {})
        ),
    }


@app.command()
def merge(
    older: Annotated[str, typer.Argument(callback=not_blank, help="One offender's key.", metavar="A")],
    younger: Annotated[str, typer.Argument(callback=not_blank, help="The other's; the one known longer stays.", metavar="B")],
    *,
    reason: Annotated[str, REASON],
    reviewer: Annotated[str | None, REVIEWER] = None,
) -> None:
    """Merge two offenders who are one person: everything known of the newer one is moved to the one known longer."""
    send(OffenderAction(action="merge", offenders=(older, younger), reason=reason, reviewer=reviewer or getpass.getuser()))


@app.command()
def split(
    key: Annotated[str, KEY],
    identifiers: Annotated[
        list[str],
        typer.Argument(callback=not_blank, help="The other person's identifiers, as `vn offender show` lists them.", metavar="IDENTIFIER…"),
    ],
    *,
    reason: Annotated[str, REASON],
    reviewer: Annotated[str | None, REVIEWER] = None,
) -> None:
    """Split off identifiers that belong to another person, who starts with an empty history."""
    send(
        OffenderAction(
            action="split", offenders=(key,), identifiers=tuple(identifiers), reason=reason, reviewer=reviewer or getpass.getuser()
        )
    )


def send(action: OffenderAction) -> None:
    """Send the decision; raises UserError if an offender that it names is not known."""
    client = UserClient(Settings())
    kept = identify_states(client)
    for key in action.offenders:
        known = describe(key, kept)
        if unknown := sorted(set(action.identifiers) - set(known["identifiers"])):
            raise UserError(f"{key} has no identifier {', '.join(unknown)}: `vn offender show {key}` lists those it has")
        if action.identifiers and set(action.identifiers) == set(known["identifiers"]):
            raise UserError(f"{key} would be left without any identifier: name fewer")
    client.send(REVIEW_ACTIONS, [(action.offenders[0], client.codec.encode(action))])
    typer.echo(action.offenders[0])
