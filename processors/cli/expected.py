"""`vn expected`: expected events and their deadlines."""

from typing import Annotated

import typer

from processors.cli.app import new_app
from processors.cli.arguments import known_jurisdiction
from processors.cli.output import JSON, print_rows, row
from processors.rules.load import load_rules
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.views.view_reader import open_view

app = new_app("Shows expected events and their deadlines.")


@app.callback()
def expected() -> None:
    """Show expected events and their deadlines."""


@app.command("list")
def list_expected(
    *,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is overdue.")] = False,
    owed_by: Annotated[str | None, typer.Option("--owed-by", help="Only what this state owes, by its two letters.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Include what was met or cancelled.")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """
    Show what is expected from whom and by when, earliest deadline first; `vn explain` shows the message behind each.

    Uses the view that `vn console` keeps, if there is one, and says so.
    """
    wanted = {"overdue"} if overdue else {"open", "overdue", "met", "cancelled"} if everything else {"open", "overdue"}
    settings = Settings()
    state = None if owed_by is None else known_jurisdiction(owed_by, load_rules(settings.rules_dir).jurisdictions)
    with open_view(UserClient(settings)) as view:
        known = view.expectations().values()
    found = [each for each in known if each.state in wanted and (state is None or each.owing_state == state)]
    found.sort(key=lambda each: (each.deadline is None, each.deadline or 0, each.expectation_id))
    print_rows(
        (row(each) for each in found),
        ("message_id", "last_day", "state", "expects", "owed_by", "rule"),
        title="Expected events",
        as_json=as_json,
        empty="Nothing is overdue." if overdue else "Nothing is expected.",
    )
    if not as_json:
        typer.echo(f"(from {view.source})")
