"""`vn rules`: checks the rule files, and prints the rules in force as a document to read and sign."""

import sys
import textwrap
from collections.abc import Callable
from datetime import datetime
from itertools import chain
from typing import Annotated, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from processors.cli.app import new_app
from processors.cli.arguments import check_year, known_jurisdiction
from processors.cli.output import print_json
from processors.deliver.sample import sample_text
from processors.rules.check import check as find
from processors.rules.document.build import document
from processors.rules.document.parts import Document, Part
from processors.rules.load import RuleLibrary, midnight, read_rules
from processors.rules.rule_set import EventCode, Rules
from processors.rules.settings import Settings as SettingsInForce
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.topics import POLICIES

app = new_app("Checks the rule files, and shows the rules that apply.")

WIDTH: Final = 120
YEARS: Final = range(1900, 2200)
BLANK: Final = "___"  # blanks to be filled in by hand
RULE_BELOW_HEAD: Final = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


@app.command()
def check(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line, for programs.")] = False) -> None:
    """Check every rule file, built-in and in VN_RULES_DIR; prints one line per finding, with exit code 1 if there are any."""
    library = read_rules(Settings().rules_dir)
    findings = find(library)
    for each in findings:
        if as_json:
            print_json({"file": each.file, "entry": each.entry, "problem": each.problem})
        else:
            typer.echo(str(each))
    if findings:
        raise typer.Exit(1)
    summary = summary_of(library)
    if as_json:
        print_json(summary)
    else:
        typer.echo(
            f"The rules are sound: {summary['files']} files, {summary['jurisdictions']} jurisdictions, {summary['events']} events, "
            f"{summary['texts']} texts, version {summary['version']}."
        )
        if states := without_telephone(library):
            typer.echo(
                f"No telephone number of the compact office is known in {len(states)} states ({', '.join(states)}): "
                "write compact_office_phone into their files in VN_RULES_DIR, so that messages and the look-up can show it."
            )


@app.command()
def show(
    jurisdiction: Annotated[
        str | None, typer.Argument(help="The two letters of a state, such as VA; without it, the default rules.")
    ] = None,
    *,
    on: Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day whose rules to show. Default: today.")] = None,
) -> None:
    """Print the rules of a jurisdiction as a document to read and sign, with the settings in force if a broker is configured."""
    if on is not None:
        check_year("--on", on, YEARS)
    settings = Settings()
    library = read_rules(settings.rules_dir)
    code = "" if jurisdiction is None else known_jurisdiction(jurisdiction, library.jurisdictions)
    policies = list(UserClient(settings).table(POLICIES).values()) if settings.bootstrap_servers else []
    rules = Rules(library, SettingsInForce.of(policies))
    zone = rules.history(code).rule_sets[-1].zone
    day = datetime.now(zone).date() if on is None else on.date()
    shown = document(rules, chain(*library.files_for(code)), code, day, sampler(rules, code, midnight(day, zone)))
    (print_styled if sys.stdout.isatty() else print_plain)(shown)


def sampler(rules: Rules, jurisdiction: str, at: int) -> Callable[[EventCode, str], str | None]:
    """Return a function that returns a code's text message in a language, with an invented offender, place and time."""

    def sample(code: EventCode, language: str) -> str | None:
        return sample_text(rules, jurisdiction, code, at, language)

    return sample


def summary_of(library: RuleLibrary) -> dict[str, object]:
    """Return the summary: how many files, jurisdictions, events and texts there are."""
    default = library.history("").rule_sets[-1]
    return {
        "files": sum(len(layer) for layer in library.layers),
        "jurisdictions": len(library.jurisdictions),
        "events": len(default.codes),
        "texts": len(default.texts),
        "version": f"r{library.version}",
    }


def without_telephone(library: RuleLibrary) -> list[str]:
    """Return the members of the compact whose files have no telephone number of their office."""
    return sorted(code for code, each in library.jurisdictions.items() if each.compact and not each.compact_office_phone)


def print_styled(shown: Document) -> None:
    """Print the document on the terminal, with headings and ruled tables."""
    console = Console(highlight=False)
    console.print(Text(shown.title, style="bold underline"))
    for part in shown.parts:
        console.print()
        console.print(Text(part.heading, style="bold"))
        for sentence in part.sentences:
            console.print(Text(sentence))
        if part.rows:
            console.print(table_of(part, box.SIMPLE_HEAD))


def print_plain(shown: Document) -> None:
    """Print the document as plain text, for printing or filing."""
    console = Console(width=WIDTH, color_system=None, highlight=False)
    typer.echo(f"{shown.title}\n{'=' * len(shown.title)}")
    for part in shown.parts:
        typer.echo(f"\n{part.heading}\n{'-' * len(part.heading)}")
        for sentence in part.sentences:
            typer.echo(f"\n{sentence}" if BLANK in sentence else textwrap.fill(sentence, WIDTH))
        if part.rows:
            with console.capture() as capture:
                console.print(table_of(part, RULE_BELOW_HEAD))
            typer.echo("\n".join(line.rstrip() for line in capture.get().rstrip().splitlines()))


def table_of(part: Part, lines: box.Box) -> Table:
    """Return the part's table."""
    table = Table(*part.columns, box=lines, pad_edge=False)
    for row in part.rows:
        table.add_row(*map(Text, row))
    return table
