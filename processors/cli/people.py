"""`vn people`: hides people from the public pages, and publishes people to them."""

import getpass
import re
from typing import Annotated, Final

import msgspec
import typer

from processors.cli.app import new_app
from processors.cli.arguments import reason_option
from processors.cli.output import JSON, print_rows, row
from processors.domain.offender import HiddenPerson, StaffAction
from processors.domain.person import Identifier
from processors.domain.review import OffenderAction
from processors.ingest.read.action import MOST_PUBLISHED
from processors.rules.identity import ANY_ISSUER, WEAK, NotAnIdentifier
from processors.rules.load import load_rules
from processors.runtime.clock import wall_time
from processors.runtime.errors import UsageError, UserError
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.runtime.wire.changelog import State
from processors.topics import CONSOLE_LOG, IDENTIFY_STATE, PEOPLE, PEOPLE_HIDDEN, REVIEW_ACTIONS

app = new_app("Hides people from the public pages; lists who is hidden; publishes people after an upgrade.")

REASON = reason_option("Why; kept in the audit trail.")
PERSON = typer.Option("--as", help="Who decides; kept in the audit trail. Default: the user of this computer.")
IDENTIFIER = typer.Argument(help="One of the person's numbers, such as SID:VA7700123 or DOC@NC:0733210.", metavar="SCHEME:VALUE")
IDENTIFIER_FORM: Final = re.compile(r"(?P<scheme>[^:@]+)(@(?P<issuer>[^:]+))?:(?P<value>.+)")


@app.command()
def hide(identifier: Annotated[str, IDENTIFIER], *, reason: Annotated[str, REASON], person: Annotated[str | None, PERSON] = None) -> None:
    """Hide the person with this number from the public."""
    named, client, who, now = comparable(identifier), UserClient(Settings()), person or getpass.getuser(), wall_time()
    hidden = HiddenPerson(identifier=named, reason=reason, hidden_by=who, set_at=now)
    client.send(PEOPLE_HIDDEN, [(named, client.codec.encode(hidden))])
    log_action(client, StaffAction(person=who, action="person_hidden", subject=named, at=now, reason=reason))
    typer.echo(named)


@app.command()
def unhide(identifier: Annotated[str, IDENTIFIER], *, reason: Annotated[str, REASON], person: Annotated[str | None, PERSON] = None) -> None:
    """Show the person with this number to the public again like any other."""
    named, client = comparable(identifier), UserClient(Settings())
    if named not in client.table(PEOPLE_HIDDEN):
        raise UserError(f"nobody is hidden by {named}: `vn people hidden` lists who is")
    client.send(PEOPLE_HIDDEN, [(named, None)])
    log_action(client, StaffAction(person=person or getpass.getuser(), action="person_shown", subject=named, at=wall_time(), reason=reason))
    typer.echo(named)


@app.command()
def hidden(*, as_json: Annotated[bool, JSON] = False) -> None:
    """List who is hidden, by whom and why."""
    found = UserClient(Settings()).table(PEOPLE_HIDDEN)
    print_rows(
        (row(found[key]) for key in sorted(found)),
        ("identifier", "hidden_by", "set_at", "reason"),
        title="Hidden people",
        as_json=as_json,
        empty="Nobody is hidden.",
    )


@app.command()
def publish(*, reason: Annotated[str, REASON] = "an upgrade", person: Annotated[str | None, PERSON] = None) -> None:
    """Publish everybody who is known but not in `vn.people` yet, after an upgrade from a version without that topic."""
    client = UserClient(Settings())
    published = client.table(PEOPLE)
    missing = sorted(
        key[1:]
        for key, each in client.table(IDENTIFY_STATE).items()
        if isinstance(each, State)
        and key[1:] not in published
        and msgspec.json.decode(each.state, type=TaggedState).type in {"offender", "merged"}
    )
    who = person or getpass.getuser()
    for at in range(0, len(missing), MOST_PUBLISHED):
        some = tuple(missing[at : at + MOST_PUBLISHED])
        action = OffenderAction(action="publish", offenders=some, reason=reason, reviewer=who)
        client.send(REVIEW_ACTIONS, [(some[0], client.codec.encode(action))])
    typer.echo(len(missing))


class TaggedState(msgspec.Struct, frozen=True):
    """The tag of a state of identify."""

    type: str


def comparable(text: str) -> str:
    """Return the identifier in comparable form; raises UsageError if it is not one."""
    form = IDENTIFIER_FORM.fullmatch(text.strip())
    if form is None:
        raise UsageError(f"{text} is no identifier: write SCHEME:VALUE, such as SID:VA7700123")
    identity = load_rules(Settings().rules_dir).rule_set("", wall_time()).identity
    try:
        mark = identity.mark(Identifier(form["scheme"], form["value"], form["issuer"]))
    except NotAnIdentifier as why:
        raise UsageError(f"{text} is no identifier: {why}") from None
    return mark.lstrip(WEAK).replace(f"@{ANY_ISSUER}:", ":")


def log_action(client: UserClient, action: StaffAction) -> None:
    client.send(CONSOLE_LOG, [(None, client.codec.encode(action))])
