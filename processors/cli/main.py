"""
The `vn` command: its subcommands and their exit codes.

Exit codes: 0 success, 1 failure, 2 incorrect usage; `processors/cli/arguments.py` says which error is which. An error that a
user can cause is one line on stderr. Each subcommand is a module with a `typer.Typer` named `app`; one with a single command
and no callback is that command itself.
"""

import logging
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from processors.runtime.errors import Restart, Retry, UsageError, UserError

# Each command with its module and its line in `vn --help`, which need not import the modules.
COMMANDS: Final = {
    "demo": ("processors.cli.demo", "Run the sample feed through the whole pipeline and compare the result with its answer key."),
    "local": ("processors.cli.local", "A local broker and store: start, stop, show."),
    "topics": ("processors.cli.topics", "Create the topics; list them; give the stages more partitions."),
    "state": ("processors.cli.state", "The stages' state: export it to files, import it."),
    "run": ("processors.cli.run", "Run stages of the pipeline."),
    "sample": ("processors.cli.sample", "Print a submission or registration to try the pipeline with."),
    "try": ("processors.cli.try_", "Show who would be told what, without a broker."),
    "submit": ("processors.cli.submit", "Send submissions as an agency would."),
    "register": ("processors.cli.register", "Send registrations as a registration site would."),
    "unregister": ("processors.cli.unregister", "Remove registrations."),
    "receipt": ("processors.cli.receipt", "Send delivery receipts as a provider would."),
    "provider": ("processors.cli.provider", "Deliver outbound messages: SMTP, Twilio, the console."),
    "verify": ("processors.cli.verify", "Verify a contact by the code it was sent."),
    "inbound": ("processors.cli.inbound", "Send messages from registrants, such as STOP, as a provider would."),
    "erase": ("processors.cli.erase", "Erase a registrant's contact data everywhere."),
    "key": ("processors.cli.key", "The keys of contact data: list, rotate."),
    "tail": ("processors.cli.tail", "Show the records of a topic, decoded."),
    "explain": ("processors.cli.explain", "Show what happened to one submitted message."),
    "review": ("processors.cli.review", "Flagged messages: list, show, release, discard."),
    "offender": ("processors.cli.offender", "Identities of offenders: show, merge, split."),
    "people": ("processors.cli.people", "Hide people from the public pages."),
    "expected": ("processors.cli.expected", "Expected events and their deadlines."),
    "policy": ("processors.cli.policy", "The administrative settings: show, set, unset."),
    "rules": ("processors.cli.rules", "The rules: check them, show them as a document."),
    "texts": ("processors.cli.texts", "Show the texts that registrants get."),
    "dead-letters": ("processors.cli.dead_letters", "Records that were refused: list, replay, settle."),
    "quarantine": ("processors.cli.quarantine", "Set a record aside that a stage must not decide."),
    "audit": ("processors.cli.audit", "Check from Kafka alone that nothing was lost."),
    "watch": ("processors.cli.watch", "Metrics about the pipeline from outside its stages."),
    "top": ("processors.cli.top", "A live table of the stages in the terminal."),
    "console": ("processors.cli.console", "The staff's pages: reviews, messages, clocks, settings."),
    "site": ("processors.cli.site", "The public's pages: look up, register, manage."),
    "doctor": ("processors.cli.doctor", "Check everything the pipeline depends on."),
    "simulate": ("processors.cli.simulate", "Make an ICOTS-like feed with its answer key, and compare."),
}


class Commands(TyperGroup):
    """Imports a command when it is called, not before."""

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        return typer.main.get_command(import_module(module).app)

    def format_commands(self, ctx: object, formatter: Any) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


app = typer.Typer(cls=Commands, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def print_version(asked: bool) -> None:  # noqa: FBT001  the parser calls it with the option's value
    """Print the version of the package and end the command."""
    if asked:
        print(f"vn {version('vn-pipeline')}")  # noqa: T201
        raise typer.Exit


@app.callback()
def vn(
    *,
    _version: Annotated[bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    """The victim notification pipeline."""


def run() -> NoReturn:
    """Run the command line of this process and exit with its exit code."""
    logging.getLogger("librdkafka").addHandler(logging.NullHandler())  # `vn run` logs these; other commands print their own messages
    try:
        code = app(sys.argv[1:] or ["--help"], prog_name="vn", standalone_mode=False)
    except ValueError as error:
        from processors.rules.files import BadRules  # noqa: PLC0415  the rules are slow to import, and only needed here
        from processors.rules.setting_values import BadSetting  # noqa: PLC0415

        if not isinstance(error, BadRules | BadSetting):
            raise
        print(f"vn: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(UsageError.exit_code if isinstance(error, BadSetting) else UserError.exit_code)
    except (UserError, typer.TyperException) as error:
        message = usage_error(error) if isinstance(error, typer.TyperException) else str(error)
        print(f"vn: {message}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except (Retry, Restart) as error:  # a stage would try again; a command tells the user
        print(f"vn: {error}: try again, or run `vn doctor`", file=sys.stderr)  # noqa: T201
        sys.exit(UserError.exit_code)
    except typer.Abort:
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def usage_error(error: typer.TyperException) -> str:
    """Return the parser's message with the command that shows the usage."""
    context = getattr(error, "ctx", None)
    return f"{error.format_message().rstrip('.')}: `{context.command_path if context else 'vn'} --help` shows how it is used"
