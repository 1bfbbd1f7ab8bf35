"""`vn explain`: what happened to one submitted message."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer
from msgspec import structs
from rich.text import Text

from processors.cli.app import new_app
from processors.cli.arguments import not_blank
from processors.cli.output import JSON, console, print_json
from processors.domain.journal import Verdict, stage_order
from processors.domain.notification import Response
from processors.domain.time import iso
from processors.runtime.errors import UserError
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.views.view_reader import open_view

app = new_app("Shows what happened to one message.")


@app.command()
def explain(
    message_id: Annotated[str, typer.Argument(callback=not_blank, help="The message's id, as its agency gave it.")],
    *,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """
    Show what every stage decided about a message and why, which notifications it led to, and their receipts.

    Uses the index that `vn console` keeps, if there is one, and says so.
    """
    with open_view(UserClient(Settings())) as view:
        found = message_history(message_id, view.journal(message_id), view.responses(message_id))
    if not found["decisions"]:
        raise UserError(f"nothing is known of message {message_id}: was it sent, and does `vn run all` run?")
    if as_json:
        print_json(found)
        return
    out = console()
    agencies = {each["ori"] for each in found["decisions"] if "ori" in each}
    for each in found["decisions"]:
        whose = f"{each.get('ori', ''):<10} " if len(agencies) > 1 else ""  # an id is unique only within its agency
        stage = (f"{each['stage']:<9}", "bold")
        rest = f" {each['outcome']:<11} {each['reason']:<22} {each['detail']}"
        out.print(Text.assemble(f"{each['at']}  {whose}", stage, rest), soft_wrap=True)
    for notification in found["notifications"]:
        out.print(f"\nnotification {notification['notification_id']} to {notification['registrant_id']}", markup=False, soft_wrap=True)
        for attempt in notification["attempts"]:
            line = f"  {attempt['channel']:<6} {attempt['reference']} {attempt['at']} {attempt['status'] or ''}"
            out.print(line, markup=False, soft_wrap=True)
            for receipt in attempt["receipts"]:
                out.print(f"         {receipt['at']} {receipt['detail']}", markup=False, soft_wrap=True)
    for response in found["responses"]:
        out.print(f"\nresponse to {response['ori']} {response['at']}: {response['event_subtype']}", markup=False, soft_wrap=True)
    out.print(f"\n(from {view.source})", markup=False)


def message_history(message_id: str, journal: Iterable[tuple[int, Verdict]], responses: Iterable[Response] = ()) -> dict[str, Any]:
    """Return a message's decisions in the order in which they were made, its responses, and its notifications with attempts."""
    written: list[tuple[int, Verdict]] = []
    receipts: list[Verdict] = []
    statuses: dict[str | None, str] = {}
    for when, each in journal:
        if each.message_id == message_id:
            written.append((when, each))
        if each.outcome == "receipt" and each.message_id in {message_id, each.reference}:  # not those of what was told together
            receipts.append(each)
        if each.status is not None:
            statuses[each.reference] = each.status
    # By the time of writing, not of the decision: a message that a reviewer released is matched later, with its old receive time.
    written.sort(key=lambda pair: (pair[0], stage_order(pair[1].stage)))
    decisions = [each for _, each in written]
    attempts: dict[str, dict[str | None, Verdict]] = {}  # by notification and reference: one attempt may tell of several offenders
    for each in decisions:
        if each.notification_id is not None and each.outcome == "sent":
            attempts.setdefault(each.notification_id, {}).setdefault(each.reference, each)
    return {
        "message_id": message_id,
        "decisions": [_shown_verdict(each) for each in decisions],
        "responses": [
            {"ori": each.ori, "event_subtype": each.event_subtype, "at": iso(each.responded_at)}
            for each in responses
            if each.message_id == message_id
        ],
        "notifications": [
            {
                "notification_id": notification_id,
                "registrant_id": next(iter(sent.values())).registrant_id,
                "attempts": [
                    {
                        "reference": each.reference,
                        "channel": each.channel,
                        "at": iso(each.at),
                        "status": statuses.get(each.reference),
                        "receipts": [_shown_verdict(receipt) for receipt in receipts if receipt.reference == each.reference],
                    }
                    for each in sent.values()
                ],
            }
            for notification_id, sent in attempts.items()
        ],
    }


def _shown_verdict(verdict: Verdict) -> dict[str, Any]:
    return {name: value for name, value in (structs.asdict(verdict) | {"at": iso(verdict.at)}).items() if value is not None}
