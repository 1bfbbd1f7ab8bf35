"""docs/commands.md lists every command, and every example in it is valid."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from processors.cli import main
from tests.cli.test_main import every_command

DOC = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
EXAMPLES = [line for block in re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL) for line in block.splitlines()]


def words(example: str) -> list[str]:
    """Return the words of the command, without what the shell makes of it."""
    plain = match[1] if (match := re.fullmatch(r'eval "\$\((.*)\)"', example)) else example
    return shlex.split(plain)


def resolved(example: list[str]) -> tuple[tuple[str, ...], Any, list[str]]:
    """Return the words that name the command, the command, and its arguments."""
    assert example[0] == "vn"
    root: Any = typer.main.get_command(main.app)
    command, path, rest = root.get_command(click.Context(click.Command("vn")), example[1]), [example[1]], example[2:]
    while hasattr(command, "commands"):
        command = command.commands[rest[0]]
        path.append(rest[0])
        rest = rest[1:]
    return tuple(path), command, rest


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_understood(example: str) -> None:
    path, command, arguments = resolved(words(example))
    command.make_context(" ".join(path), arguments)


def test_no_command_is_left_out() -> None:
    groups = {path[:-1] for path in every_command() if len(path) > 1}
    commands = {path for path in every_command() if path not in groups}
    table, _, _ = DOC.partition("## One example of each")
    assert {tuple(name.split()) for name in re.findall(r"`vn ([a-z -]+)`", table)} == commands | {("local", "up")}
    assert {resolved(words(example))[0] for example in EXAMPLES} == commands


def test_no_option_is_named_that_is_none() -> None:
    options = {option for path in every_command() for option in _options(path)}
    assert set(re.findall(r"--[a-z][a-z-]*", DOC)) <= options | {"--help", "--version"}


def _options(path: tuple[str, ...]) -> list[str]:
    command: Any = typer.main.get_command(main.app)
    for word in path:
        command = command.get_command(click.Context(click.Command("vn")), word)
    return [name for parameter in command.params for name in parameter.opts]
