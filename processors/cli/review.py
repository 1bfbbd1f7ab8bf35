"""`vn review`: flagged messages, and deciding on them."""

import getpass
from collections.abc import Iterable
from typing import Annotated, Literal

import typer

from processors.cli.app import new_app
from processors.cli.arguments import not_blank, reason_option
from processors.cli.output import JSON, print_json, print_rows, row
from processors.domain.review import Review, ReviewAction
from processors.runtime.errors import UsageError, UserError
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.topics import REVIEW_ACTIONS, REVIEWS
from processors.views.view_reader import open_view

app = new_app("Shows what was flagged for review; releases or discards it.")

REASON = reason_option("Why; kept in the audit trail.")
GROUP = typer.Option(
    "--group", callback=not_blank, help="In place of an ID: every open review of this group (a held bulk update).", metavar="G"
)
REVIEWER = typer.Option("--as", help="Who decides; kept in the audit trail. Default: the user of this computer.")
REVIEW_ID = typer.Argument(callback=not_blank, help="The review's id, as `vn review list` shows it.", metavar="ID")
ReviewDecision = Literal["release", "discard"]


@app.command("list")
def list_reviews(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Include those already settled.")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """
    Show the open reviews, the oldest first.

    Uses the view that `vn console` keeps, if there is one, and says so.
    """
    with open_view(UserClient(Settings())) as view:
        reviews = [each for each in view.reviews().values() if everything or each.state == "open"]
    print_rows(
        (row(each) for each in sorted(reviews, key=lambda each: (each.since, each.review_id))),
        ("review_id", "message_id", "state", "reason", "since", *(("group",) if any(each.group for each in reviews) else ()), "detail"),
        title="Reviews",
        as_json=as_json,
        empty="Nothing waits for review.",
    )
    if not as_json:
        typer.echo(f"(from {view.source})")


@app.command()
def show(review_id: Annotated[str, REVIEW_ID], *, as_json: Annotated[bool, JSON] = False) -> None:
    """Show one review in full: what contradicts what, and how it ended."""
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
    """Release a flagged message: it takes effect and registrants are told."""
    _decide("release", reason, reviewer, review_id, group)


@app.command()
def discard(
    review_id: Annotated[str | None, REVIEW_ID] = None,
    *,
    reason: Annotated[str, REASON],
    group: Annotated[str | None, GROUP] = None,
    reviewer: Annotated[str | None, REVIEWER] = None,
) -> None:
    """Discard a flagged message for good: it has no effect and nobody is told."""
    _decide("discard", reason, reviewer, review_id, group)


def _decide(decision: ReviewDecision, reason: str, reviewer: str | None, review_id: str | None, group: str | None) -> None:
    if review_id is not None and group is not None:
        raise UsageError("name either one review or --group, not both")
    if review_id is None and group is None:
        raise UsageError("name a review, or --group for all of a group: `vn review list` shows both")
    action = ReviewAction(action=decision, reason=reason, reviewer=reviewer or getpass.getuser(), review_id=review_id, group=group)
    chosen = matching_reviews(action, _reviews().values())
    client = UserClient(Settings())
    client.send(REVIEW_ACTIONS, [(review_id or group, client.codec.encode(action))])
    for each in chosen:
        typer.echo(each)


def matching_reviews(action: ReviewAction, reviews: Iterable[Review]) -> list[str]:
    """Return the open reviews that the action is about; raises UserError if there is none."""
    named = [each for each in reviews if (each.review_id == action.review_id if action.group is None else each.group == action.group)]
    if not named and action.group is None:
        raise UserError(f"there is no review {action.review_id}: `vn review list` shows those there are")
    found = sorted(each.review_id for each in named if each.state == "open")
    if not found and action.group is None:
        raise UserError(f"review {action.review_id} is {named[0].state} already: `vn review list` shows the open ones")
    if not found:
        raise UserError(f"no open review belongs to group {action.group}: `vn review list` shows the open ones")
    return found


def _reviews() -> dict[str, Review]:
    return UserClient(Settings()).table(REVIEWS)


def _review(review_id: str) -> Review:
    review = _reviews().get(review_id)
    if review is None:
        raise UserError(f"there is no review {review_id}: `vn review list` shows those there are")
    return review
