"""A wrong value ends every command with exit code 2 and one line, before anything is asked of the broker (contract §1)."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import click
import pytest
import typer

from processors.cli import main
from processors.runtime.kafka.user_client import UserClient
from tests.cli.given import Run
from tests.cli.test_main import A_FILE, every_command

BLANK: Final = ("", " ")
# What makes up a command line that is right, by the name of the parameter.
RIGHT: Final = {
    "partitions": "4",
    "partition": "0",
    "offset": "0",
    "folder": "backup",
    "stages": "all",
    "files": A_FILE,
    "registration_ids": "V-1",
    "registration_id": "V-1",
    "registrant_id": "R-1",
    "code": "048210",
    "reason": "a test",
    "topic": "submissions",
    "message_id": "M-1",
    "review_id": "REV-1",
    "older": "o1",
    "younger": "o2",
    "identifiers": "SID@VA:1",
    "identifier": "SID:VA7700123",
    "value": "1d",
    "subtype": "Departure",
    "dead_letter_ids": "submissions-0-1",
}
RIGHT_KEY: Final = {"policy": "duplicate.window", "offender": "o1"}
# Wrong texts, by the name of the parameter.
WRONG: Final[dict[str, Sequence[str]]] = {
    "stages": ("nonsense",),
    "stage": ("nonsense",),
    "name": ("nonsense",),
    "at": ("yesterday", "2026-11-02T09:00:00", "9999-12-31T00:00:00Z", "1900-01-01T00:00:00Z"),
    "channel": ("pigeon",),
    "code": ("04821", "o48210"),
    "topic": ("nonsense", "vn.nonsense"),
    "identifier": ("nonsense", "SID:", "SID:0000"),
    "owed_by": ("XX", "", "Virginia"),
    "value": ("soon", "", "0s", "3651d"),
    "jurisdiction": ("XX", "Virginia"),
    "notification_type": ("Nonsense",),
    "event_subtype": ("Nonsense",),
    "subtype": ("Nonsense", "Jail/Departure"),
    "language": ("xx", "en-US"),
    "kind": ("rumour",),
    "on": ("yesterday", "9999-12-31", "1899-12-31"),
    "start": ("yesterday", "9999-12-31", "1970-12-31"),
    "days": ("100000000", "0"),
    "registrant_id": ("victim@example.org", *BLANK),
    **dict.fromkeys(
        ("registration_ids", "registration_id", "reason", "message_id", "review_id", "group", "older", "younger", "identifiers"), BLANK
    ),
    "dead_letter_ids": BLANK,
}
WRONG_KEY: Final = {"policy": ("no.such.setting", ""), "offender": BLANK}
# Texts of which only a file, the network or the pipeline shows that they are wrong.
ANY_TEXT: Final = frozenset(
    {"folder", "examples", "files", "registrations", "config", "host", "provider", "out", "check", "prometheus"}
    | {"reviewer", "person", "settler", "requested_by"}
)


def leaves() -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Yield every command that has no subcommands, with its parameters other than flags."""
    root: Any = typer.main.get_command(main.app)
    for path in every_command():
        command = root.get_command(click.Context(click.Command("vn")), path[0])
        for word in path[1:]:
            command = command.commands[word]
        if not hasattr(command, "commands"):
            yield path, [each for each in command.params if not getattr(each, "is_flag", False)]


def wrong_values(group: str, parameter: Any) -> Sequence[str] | None:
    """Return wrong values of a parameter; None if any text is right."""
    if parameter.name in ANY_TEXT:
        return None
    if parameter.name == "key":
        return WRONG_KEY[group]
    if parameter.name in WRONG:
        return WRONG[parameter.name]
    assert parameter.type_descriptor.annotation in {int, float}, f"what is a wrong {parameter.name}?"
    below = [str(parameter.min - 1)] if parameter.min is not None else []
    above = [str(parameter.max + 1)] if parameter.max is not None else []
    return ["many", *below, *above]


def command_line(path: tuple[str, ...], parameters: Sequence[Any], wrong: Any, value: str) -> list[str]:
    """Return the words of a command that is right but for one value."""
    options, arguments = [], []
    for each in parameters:
        if each is not wrong and not each.required and (each.name, wrong.name) != ("review_id", "reason"):
            continue
        text = value if each is wrong else RIGHT_KEY[path[0]] if each.name == "key" else RIGHT[each.name]
        if each.param_type_name == "option":
            options.append(f"{each.opts[0]}={text}")
        else:
            arguments.append(text)
    return [*path, *options, "--", *arguments]


CASES: Final = [
    (words, path)
    for path, parameters in leaves()
    for each in parameters
    for value in wrong_values(path[0], each) or ()
    for words in [command_line(path, parameters, each, value)]
]


@pytest.mark.parametrize("words", [words for words, _ in CASES], ids=" ".join)
def test_a_wrong_value_is_wrong_usage(words: list[str], vn: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UserClient, "table", lambda *_: {})  # `policy unset` removes what an earlier version knew
    code, out, err = vn(*words, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert (code, out) == (2, ""), err
    assert err.startswith("vn: ")
    assert err.count("\n") == 1


def test_every_command_that_takes_a_value_is_tried() -> None:
    tried = {path for _, path in CASES}
    assert {path for path, parameters in leaves() if any(each.name not in ANY_TEXT for each in parameters)} == tried
    assert len(tried) > 25
