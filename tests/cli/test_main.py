"""Help, errors and exit codes of every command (contract §1)."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from processors.cli import main
from tests.cli.given import Run

ROOT = Path(__file__).parents[2]
A_FILE = str(ROOT / "examples" / "key.json")  # a JSON object, which is all that is looked at before it is sent

NEED_A_BROKER = [
    ("topics", "create"),
    ("topics", "list"),
    ("submit", A_FILE),
    ("register", A_FILE),
    ("unregister", "V-1"),
    ("receipt", A_FILE),
    ("inbound", A_FILE),
    ("verify", "V-1", "048210"),
    ("erase", "R-1", "--reason", "r"),
    ("key", "list"),
    ("tail", "submissions"),
    ("explain", "M-1"),
    ("review", "list"),
    ("review", "show", "X"),
    ("review", "release", "X", "--reason", "r"),
    ("review", "discard", "X", "--reason", "r"),
    ("expected", "list"),
    ("policy", "show"),
    ("policy", "set", "date.past", "1d"),
    ("policy", "unset", "date.past"),
    ("dead-letters", "list"),
    ("dead-letters", "replay", "X"),
    ("audit",),
]
WRONG = [
    ("nonsense",),
    ("topics", "nonsense"),
    ("submit",),
    ("try",),
    ("try", "--at", "yesterday", "f"),
    ("try", "--at", "2026-11-02T09:00:00", "f"),
    ("submit", "--nonsense", "f"),
    ("register",),
    ("unregister",),
    ("receipt",),
    ("verify",),
    ("verify", "V-1", "04821"),
    ("verify", "V-1", "o48210"),
    ("inbound",),
    ("tail",),
    ("tail", "submissions", "--max", "0"),
    ("tail", "submissions", "--timeout", "soon"),
    ("tail", "nonsense"),
    ("explain",),
    ("run",),
    ("run", "nonsense"),
    ("run", "all", "--until-idle", "-1"),
    ("review", "show"),
    ("review", "release", "X"),
    ("review", "release", "--reason", "r"),
    ("review", "release", "X", "--group", "G", "--reason", "r"),
    ("policy", "set", "date.past"),
    ("dead-letters", "replay"),
    ("rules", "show", "VA", "--on", "yesterday"),
    ("rules", "show", "VA", "--on", "9999-12-31"),
]


def paths(command: Any, *names: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command below this one."""
    yield names
    if hasattr(command, "commands"):
        for name, each in command.commands.items():
            yield from paths(each, *names, name)


def every_command() -> list[tuple[str, ...]]:
    root: Any = typer.main.get_command(main.app)
    context = click.Context(click.Command("vn"))
    return [path for name in main.COMMANDS for path in paths(root.get_command(context, name), name)]


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
def test_every_command_says_how_it_is_used(path: tuple[str, ...], vn: Run) -> None:
    code, out, err = vn(*path, "--help")
    assert (code, err) == (0, "")
    assert f"Usage: vn {' '.join(path)}" in out
    about = [line for line in out.splitlines()[1:] if line.strip()]
    assert about, "a sentence besides the usage"
    assert not about[0].strip().startswith("Options")


@pytest.mark.parametrize("group", ["local", "topics", "review", "policy", "rules", "dead-letters", "expected"])
def test_the_help_of_a_group_says_of_each_command_a_whole_sentence(group: str, vn: Run) -> None:
    _, out, _ = vn(group, "--help")
    commands = out[out.index("Commands:") :]
    assert "..." not in commands
    assert commands.rstrip().endswith(".")


def test_vn_alone_lists_the_commands(vn: Run) -> None:
    code, out, err = vn()
    assert (code, err) == (0, "")
    assert all(f"  {name} " in out for name in main.COMMANDS)


@pytest.mark.parametrize("words", NEED_A_BROKER, ids=" ".join)
def test_without_a_broker_a_command_says_how_to_get_one(words: tuple[str, ...], vn: Run) -> None:
    code, out, err = vn(*words)
    assert (code, out) == (1, "")
    assert err == "vn: no broker is configured: run `vn local up`, or set KAFKA_BOOTSTRAP_SERVERS\n"


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_usage_is_one_line_and_exit_code_2(words: tuple[str, ...], vn: Run) -> None:
    code, out, err = vn(*words, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert (code, out) == (2, "")
    assert err.startswith("vn: ")
    assert err.count("\n") == 1


WITH_ADVICE = {
    ("nonsense",): "vn: No such command 'nonsense': `vn --help` shows how it is used\n",
    ("provider",): "vn: Missing command: `vn provider --help` shows how it is used\n",
    ("run",): "vn: Missing argument 'STAGE': `vn run --help` shows how it is used\n",
    ("review", "release", "X"): "vn: Missing option '--reason': `vn review release --help` shows how it is used\n",
    ("submit", "--nonsense", "f"): "vn: No such option: --nonsense: `vn submit --help` shows how it is used\n",
    ("tail", "submissions", "--json=1"): "vn: Option '--json' does not take a value: `vn --help` shows how it is used\n",
}


@pytest.mark.parametrize(("words", "sentence"), WITH_ADVICE.items(), ids=str)
def test_wrong_usage_is_told_where_the_right_one_stands(words: tuple[str, ...], sentence: str, vn: Run) -> None:
    assert vn(*words) == (2, "", sentence)


def test_an_unknown_setting_is_refused(vn: Run) -> None:
    code, out, err = vn("topics", "list", VN_TOPIC_PREFX="x.")
    assert (code, out) == (1, "")
    assert err.startswith("vn: unknown setting VN_TOPIC_PREFX: the settings are ")
    assert err.count("\n") == 1


def test_a_setting_that_cannot_be_used_is_refused(vn: Run) -> None:
    code, _, err = vn("topics", "list", VN_CLOCK="moon")
    assert code == 1
    assert err.startswith("vn: VN_CLOCK cannot be used")
    assert err.count("\n") == 1


@pytest.mark.parametrize("words", [("local", "status"), ("demo",), ("simulate",), ("rules", "check")], ids=" ".join)
def test_an_unknown_setting_is_refused_if_none_is_needed_too(words: tuple[str, ...], vn: Run) -> None:
    code, out, err = vn(*words, VN_NONSENSE="1")
    assert (code, out) == (1, "")
    assert err.startswith("vn: unknown setting VN_NONSENSE: ")


CANNOT_BE_READ = [
    (("register", "latin1.csv"), "vn: latin1.csv, line 2, column 8: the text is neither UTF-8, nor UTF-16, nor Windows-1252: "),
    (("register", "quotes.csv"), "vn: quotes.csv, line 2, column 1: the row cannot be read ("),
    (("simulate", "--check", "."), "vn: key.json is no key: "),
    (("simulate", "--check", "nowhere"), "vn: the key nowhere/key.json cannot be read (No such file or directory): "),
    (("demo", "--examples", "nowhere"), "vn: the key nowhere/key.json cannot be read (No such file or directory): "),
    (("submit", "nowhere"), "vn: nowhere cannot be read (No such file or directory): "),
]


@pytest.mark.parametrize(("words", "sentence"), CANNOT_BE_READ, ids=lambda each: each if isinstance(each, str) else " ".join(each))
def test_what_cannot_be_read_is_said_in_one_line(
    words: tuple[str, ...], sentence: str, vn: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("latin1.csv").write_bytes(b"registration_id,given\nV-1,Jos\x81\n")
    Path("quotes.csv").write_text('registration_id,given\nV-1,"' + 200_000 * "a", encoding="utf-8")
    Path("key.json").write_text("[]", encoding="utf-8")
    code, out, err = vn(*words, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert (code, out) == (1, "")
    assert err.startswith(sentence)
    assert err.count("\n") == 1


@pytest.mark.parametrize("words", [("policy", "show"), ("policy", "set", "date.past", "1d")], ids=" ".join)
def test_a_jurisdiction_is_known_in_small_letters_too(words: tuple[str, ...], vn: Run) -> None:
    code, out, err = vn(*words, "--jurisdiction", "xx")
    assert (code, out) == (2, "")
    assert err.startswith("vn: no rule file is for 'XX': write one of AK, ")
    code, _, err = vn(*words, "--jurisdiction", "va")
    assert (code, err) == (1, "vn: no broker is configured: run `vn local up`, or set KAFKA_BOOTSTRAP_SERVERS\n")


@pytest.mark.parametrize("words", [("topics", "list"), ("submit", A_FILE), ("tail", "submissions")], ids=" ".join)
def test_a_property_that_the_client_does_not_have_is_said_in_one_line(words: tuple[str, ...], vn: Run) -> None:
    code, out, err = vn(*words, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", KAFKA_NONSENSE="1")
    assert (code, out) == (1, "")
    assert err == 'vn: a KAFKA_ setting cannot be used: No such configuration property: "nonsense"\n'


def test_another_group_protocol_is_refused(vn: Run) -> None:
    code, out, err = vn("topics", "list", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", KAFKA_GROUP_PROTOCOL="consumer")
    assert (code, out) == (1, "")
    assert err.startswith("vn: KAFKA_GROUP_PROTOCOL cannot be used: ")
    assert err.count("\n") == 1


def test_a_registry_that_does_not_answer_is_said_in_one_line(vn: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("confluent_kafka.schema_registry._sync.schema_registry_client.full_jitter", lambda *_: 0)
    code, out, err = vn("policy", "set", "date.past", "1d", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", SCHEMA_REGISTRY_URL="http://127.0.0.1:1")
    assert (code, out) == (1, "")
    assert err.startswith("vn: the schema registry does not answer")
    assert err.count("\n") == 1


def test_rules_need_no_broker(vn: Run) -> None:
    code, out, err = vn("rules", "show", "nc", "--on", "2026-11-02")
    assert (code, err) == (0, "")
    assert "North Carolina" in out
    code, _, err = vn("rules", "show", "XX")
    assert code == 2
    assert err.count("\n") == 1


def test_a_rule_file_that_cannot_be_used_is_said_in_one_line(vn: Run, tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text('[[event]]\nsubtype = "Escape"\n', encoding="utf-8")
    for words in (("rules", "check"), ("rules", "show", "VA")):
        code, out, err = vn(*words, VN_RULES_DIR=str(tmp_path))
        assert (code, out) == (1, "")
        assert err.startswith("vn: ours.toml, [[event]] 1 (Escape): ")
        assert err.count("\n") == 1


def test_decisions_that_cannot_be_stored_are_said_in_one_line(vn: Run, tmp_path: Path) -> None:
    (tmp_path / "console-decisions.sqlite").mkdir()
    code, out, err = vn("console", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", VN_VIEWS_DIR=str(tmp_path), VN_KEY_FILE=key_file(tmp_path))
    assert (code, out) == (1, "")
    assert err.startswith("vn: decisions cannot be stored in ")
    assert err.count("\n") == 1


def key_file(folder: Path) -> str:
    path = folder / "key"
    path.write_text("0" * 128)
    path.chmod(0o600)
    return str(path)


def test_the_version_is_that_of_the_package(vn: Run) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert vn("--version") == (0, f"vn {project['version']}\n", "")
