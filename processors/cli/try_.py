"""`vn try`: shows who would be told what, without a broker."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from msgspec import structs
from rich.text import Text

from processors.cli.app import new_app
from processors.cli.arguments import check_year
from processors.cli.documents import documents, fail_if_broken, parse_files
from processors.cli.output import JSON, console, print_json
from processors.cli.register import registrations as registrations_of
from processors.domain.journal import Verdict
from processors.domain.time import iso
from processors.rehearsal.trial import Message, Outcome, Trial, run_trial
from processors.rules.load import load_rules
from processors.runtime.errors import UsageError
from processors.runtime.settings import Settings

app = new_app("Shows who would be told what, without a broker.")


@app.command()
def try_(
    files: Annotated[list[str], typer.Argument(help="Files of submissions, as for `vn submit`; - is standard input.", metavar="FILE")],
    *,
    registrations: Annotated[
        list[str] | None, typer.Option("--registrations", help="A file of registrations, as for `vn register`.", metavar="FILE")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", help="The receive time, such as 2026-11-02T09:00:00-05:00. Default: now.")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """
    Run submissions through the whole pipeline in memory, and print who would be told what, or why nobody would.

    Nothing is sent and no broker is used. Without registrations, one registrant for every offender is assumed. Two days
    are simulated, so that quiet hours and holds end.
    """
    settings = Settings()
    moment = received_at(at)
    submissions, broken = parse_files(files, documents)
    fail_if_broken(broken, "fix it")
    given, broken = parse_files(registrations or [], registrations_of)
    fail_if_broken(broken, "fix it")
    trial = run_trial(submissions, given if registrations else None, moment, load_rules(settings.rules_dir))
    if as_json:
        for each in trial.outcomes:
            print_json(plain(each))
    else:
        show(trial, assumed=not registrations)


def received_at(at: str | None) -> datetime:
    """Return the receive time of the submissions; raises UsageError if it has no offset or is too far away."""
    if at is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError("--at is a date and time with offset, such as 2026-11-02T09:00:00-05:00")
    check_year("--at", moment)
    return moment


def show(trial: Trial, *, assumed: bool) -> None:
    """Print every submission with the messages that would be sent, or why none would."""
    out = console()
    for refused in trial.refused:
        out.print(f"registration {refused.message_id} refused, {refused.reason}: {refused.detail}", markup=False, soft_wrap=True)
    if assumed:
        out.print("No registrations are given: one registrant of every offender is assumed.", soft_wrap=True)
    for each in trial.outcomes:
        out.print(Text.assemble("\n", (each.message_id, "bold"), f" {summary(each)}"), soft_wrap=True)
        for decision in each.decisions:
            out.print(f"  {decision.stage:<9} {decision.outcome:<11} {decision.reason:<22} {decision.detail}", markup=False, soft_wrap=True)
        for message in each.messages:
            out.print(f"  to {message.registrant_id} by {message.channel} at {iso(message.at)}:", markup=False, soft_wrap=True)
            out.print("\n".join(f"    {line}" for line in text_of(message)), markup=False, soft_wrap=True)


def summary(outcome: Outcome) -> str:
    """Return a short summary of what would happen to a submission."""
    if outcome.messages:
        registrants = len({each.registrant_id for each in outcome.messages})
        return f"would be told to {registrants} {'registrant' if registrants == 1 else 'registrants'}"
    last = outcome.decisions[-1]
    return f"would be told to nobody: {last.reason}"


def text_of(message: Message) -> list[str]:
    return [*([message.subject] if message.subject else []), *message.body.splitlines()]


def plain(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome for JSON output, times as ISO 8601."""
    return {
        "message_id": outcome.message_id,
        "messages": [structs.asdict(each) | {"at": iso(each.at)} for each in outcome.messages],
        "decisions": [decision(each) for each in outcome.decisions],
    }


def decision(verdict: Verdict) -> dict[str, Any]:
    return {name: value for name, value in (structs.asdict(verdict) | {"at": iso(verdict.at)}).items() if value is not None}
