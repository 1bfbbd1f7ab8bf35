"""`vn sample`: prints a sample submission or registration, dated as if it were sent now."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from processors.cli.app import new_app
from processors.cli.output import JSON, print_rows
from processors.rehearsal.samples import sample as find_sample
from processors.rehearsal.samples import samples, sent_at
from processors.runtime.settings import Settings

app = new_app("Prints a submission or registration to try the pipeline with.")


@app.command()
def sample(
    name: Annotated[str | None, typer.Argument(help="The sample to print; without it, the names of all.")] = None,
    *,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """
    Print a sample of examples/ with times relative to now, or list the names.

    `vn sample registration | vn register -`, then `vn sample icots-departure | vn submit -` sends one notification.
    """
    Settings()  # a misspelled variable is an error here too
    if name is not None:
        typer.echo(sent_at(find_sample(name).text, datetime.now(UTC)), nl=False)
    elif as_json or sys.stdout.isatty():
        rows = [{"name": each.name, "kind": each.kind, "about": each.about} for each in samples()]
        print_rows(rows, ("name", "kind", "about"), title="Samples", as_json=as_json, empty="There are no samples.")
    else:
        for each in samples():
            typer.echo(each.name)
