"""`vn review`: what waits for a person's judgement, and judging it."""

import getpass
from typing import Annotated, Any

import typer

from processors.cli.app import new_app
from processors.cli.output import JSON, print_json, print_rows, row
from processors.domain.review import Review, ReviewAction
from processors.runtime.client import Client
from processors.runtime.errors import Usage, UserError
from processors.runtime.settings import Settings
from processors.topics import REVIEW_ACTIONS, REVIEWS

app = new_app("Shows what was flagged for review; releases or discards it.")

REASON = typer.Option("--reason", help="Why; kept in the audit trail.")
GROUP = typer.Option(help="Act on every open review of this group (a held bulk update).")
REVIEWER = typer.Option("--as", help="Who decides; kept in the audit trail. Default: the user of this computer.")
REVIEW_ID = typer.Argument(help="The review's id, as `vn review list` shows it.", metavar="ID")


@app.command("list")
def list_reviews(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those already settled as well.")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Show the open reviews, the oldest first."""
    reviews = [each for each in _reviews().values() if everything or each.state == "open"]
    print_rows(
        (row(each) for each in sorted(reviews, key=lambda each: (each.since, each.review_id))),
        ("review_id", "message_id", "state", "reason", "since", "detail"),
        title="Reviews",
        as_json=as_json,
        empty="Nothing waits for review.",
    )


@app.command()
def show(review_id: Annotated[str, REVIEW_ID], *, as_json: Annotated[bool, JSON] = False) -> None:
    """Show one review whole: what contradicts what, and what became of it."""
    found = row(_review(review_id))
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        if value is not None:
            typer.echo(f"{name:<14} {value}")


@app.command()
def release(
    review_id: Annotated[str | None, REVIEW_ID] = None,
    *,
    reason: Annotated[str, REASON],
    group: Annotated[str | None, GROUP] = None,
    reviewer: Annotated[str | None, REVIEWER] = None,
) -> None:
    """Let a flagged message go: its state change is applied and registrants are told."""
    _act({"action": "release", "reason": reason, "reviewer": reviewer or getpass.getuser()}, review_id, group)


@app.command()
def discard(
    review_id: Annotated[str | None, REVIEW_ID] = None,
    *,
    reason: Annotated[str, REASON],
    group: Annotated[str | None, GROUP] = None,
    reviewer: Annotated[str | None, REVIEWER] = None,
) -> None:
    """Put a flagged message aside for good: nothing is applied and nobody is told."""
    _act({"action": "discard", "reason": reason, "reviewer": reviewer or getpass.getuser()}, review_id, group)


def _act(action: dict[str, Any], review_id: str | None, group: str | None) -> None:
    if (review_id is None) == (group is None):
        raise Usage("name either one review or --group, not both")
    if review_id is not None:
        review = _review(review_id)
        if review.state != "open":
            raise UserError(f"review {review_id} is {review.state} already: `vn review list` shows the open ones")
        chosen = [review_id]
    else:
        chosen = sorted(each.review_id for each in _reviews().values() if each.group == group and each.state == "open")
        if not chosen:
            raise UserError(f"no open review belongs to group {group}: `vn review list` shows the open ones")
    client = Client(Settings())
    actions = ((each, client.codec.encode(ReviewAction(review_id=each, group=group, **action))) for each in chosen)
    client.send(REVIEW_ACTIONS, actions)
    for each in chosen:
        typer.echo(each)


def _reviews() -> dict[str, Review]:
    return Client(Settings()).table(REVIEWS)


def _review(review_id: str) -> Review:
    review = _reviews().get(review_id)
    if review is None:
        raise UserError(f"there is no review {review_id}: `vn review list` shows those there are")
    return review
