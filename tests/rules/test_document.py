"""`vn rules check` and `vn rules show`, and that the guide's example does what it says without code."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from processors.cli.rules import app, sampler
from processors.domain.policy import Policy
from processors.rules.check import check
from processors.rules.document.settings import settings_part
from processors.rules.files import BadRules
from processors.rules.load import load_rules, read_rules
from processors.runtime.errors import UserError
from tests.rules.conftest import Written

GUIDE = (Path(__file__).parents[2] / "docs" / "rule-files.md").read_text()
EXAMPLES = dict(re.findall(r"```toml\n# file: (\S+)\.toml\n(.*?)```", GUIDE, re.DOTALL))
NOON = 1_763_812_800_000
TRIBAL = "AZ-tribal-courts"
BAD = '[[event]]\ntypes = ["Jail"]\nsubtype = "Escape"\nstatus = "Gone"\n'


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "VN_RULES_DIR"):
        monkeypatch.delenv(name, raising=False)


@cache
def shown(*words: str) -> str:
    """Return what `vn rules show` prints; a test with rule files of its own asks for days that no other asks for."""
    result = CliRunner().invoke(app, ["show", *words])
    assert result.exception is None
    return result.stdout


# --- check --------------------------------------------------------------------------------------------------------------


def test_sound_rules_end_in_a_summary() -> None:
    result = CliRunner().invoke(app, ["check"])
    assert result.exit_code == 0
    sound, telephones = result.stdout.splitlines()
    assert re.fullmatch(r"The rules are sound: \d+ files, 56 jurisdictions, 96 events, \d+ texts, version r[0-9a-f]{8}\.", sound)
    assert telephones.startswith("No telephone number of the compact office is known in 53 states (AK, ")


def test_a_contradiction_is_one_line_and_exit_1(rule_files: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VN_RULES_DIR", str(rule_files(VA=BAD)))
    result = CliRunner().invoke(app, ["check"])
    assert result.exit_code == 1
    assert result.stdout == "VA.toml: event Jail/Escape: `status` names 'Gone', which is no status: correct it or add it.\n"


def test_a_contradiction_as_json(rule_files: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VN_RULES_DIR", str(rule_files(VA=BAD)))
    result = CliRunner().invoke(app, ["check", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "file": "VA.toml",
        "entry": "event Jail/Escape",
        "problem": "`status` names 'Gone', which is no status: correct it or add it.",
    }


def test_the_summary_as_json() -> None:
    summary = json.loads(CliRunner().invoke(app, ["check", "--json"]).stdout)
    assert (summary["jurisdictions"], summary["events"]) == (56, 96)


def test_a_file_that_cannot_be_used_is_the_user_s_error(rule_files: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VN_RULES_DIR", str(rule_files(VA="[[evnt]]\n")))
    result = CliRunner().invoke(app, ["check"])
    assert isinstance(result.exception, BadRules)
    assert str(result.exception).startswith("VA.toml: there is no section [[evnt]]")


# --- show ---------------------------------------------------------------------------------------------------------------


def test_the_document_of_virginia_says_everything_that_is_to_be_signed() -> None:
    text = shown("va")
    headings = re.findall(r"^(\S.*)\n[-=]+$", text, re.MULTILINE)
    assert headings[0] == "Victim notification rules: Virginia (VA)"
    for heading in (
        "How a message is checked",
        "Administrative settings in force",
        "Events: Corrections",
        "Action dates",
        "Status changes (specification 4.1.5.2)",
        "Moves (specification 4.1.4.2)",
        "Events with narrower conditions",
        "Order of hearings (specification 4.1.1.2)",
        "Previous events (specification 4.3.3)",
        "Releases and intakes (specification 4.1.4.3)",
        "Duplicates (specification 4)",
        "The interstate compact: steps",
        "The interstate compact: deadlines",
        "The interstate compact: no deadline is kept",
        "Business days",
        "Time zones",
        "Texts",
        "Effective dates",
        "Approval",
    ):
        assert heading in headings
    assert re.search(r"^ Escape +Status Update +yes +Escapee +At Large ", text, re.MULTILINE)
    assert re.search(r"^ transfer\.hold +8h +default ", text, re.MULTILINE)
    assert "VN: John Sample escaped on" in text
    assert "VN: John Sample se fugo el" in text
    assert f"version {load_rules().version}, as in effect on" in text
    assert "Signature:  ____" in text


def test_the_document_is_plain_if_it_is_piped() -> None:
    lines = shown("va").splitlines()
    assert not any("\x1b" in line for line in lines)
    assert max(map(len, lines)) <= 120
    assert not any(line.endswith(" ") for line in lines)


def test_the_default_rules_have_a_document_too() -> None:
    assert shown().startswith("Victim notification rules: Default rules\n=====")


@pytest.mark.slow
def test_the_document_of_a_day(rule_files: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VN_RULES_DIR", str(rule_files(VA=EXAMPLES["VA"])))
    row = re.compile(r"^ Furlough +Status Update +yes +", re.MULTILINE)
    assert len(row.findall(shown("VA", "--on", "2026-12-31"))) == 0
    during = shown("VA", "--on", "2027-01-01")
    assert len(row.findall(during)) == 1
    assert re.search(r"^ VA\.toml +event: Jail, Furlough +2027-01-01 +2027-06-30$", during, re.MULTILINE)
    assert len(row.findall(shown("VA", "--on", "2027-07-01"))) == 0


def test_an_unknown_jurisdiction_is_the_user_s_error() -> None:
    result = CliRunner().invoke(app, ["show", "FM"])
    assert isinstance(result.exception, UserError)
    assert str(result.exception).startswith("no rule file is for 'FM': write one of AK, AL, ")


def test_the_settings_in_force_and_where_they_were_set() -> None:
    rules = load_rules().with_policies(
        [
            Policy(key="cancel.hold", value="1h"),
            Policy(key="cancel.hold", value="2h", jurisdiction="VA"),
            Policy(key="cancel.hold", value="3h", event_subtype="Escape"),
            Policy(key="cancel.hold", value="4h", jurisdiction="NC"),
        ]
    )
    rows = [row[:3] for row in settings_part(rules, "VA").rows if row[0] == "cancel.hold"]
    assert rows == [("cancel.hold", "2h", "set"), ("cancel.hold", "3h", "set for event subtype Escape")]
    assert next(row[:3] for row in settings_part(rules, "").rows if row[0] == "cancel.hold") == ("cancel.hold", "1h", "set")


# --- the guide ----------------------------------------------------------------------------------------------------------


def test_every_example_of_the_guide_is_sound(rule_files: Written) -> None:
    assert set(EXAMPLES) == {"VA", TRIBAL}
    assert check(read_rules(rule_files(**EXAMPLES))) == ()


def test_a_54th_file_adds_an_event_type_with_everything_it_needs(rule_files: Written) -> None:
    rules = load_rules(rule_files(**{TRIBAL: EXAMPLES[TRIBAL]}))
    rule_set = rules.rule_set("AZ", NOON)
    code = rule_set.code("Tribal Court", "Banishment")
    assert code is not None
    assert (code.notification_types, code.emergency, code.status, code.location) == (("Status Update",), True, "Banished", "Community")
    assert "Tribal Court" in rule_set.event_types
    released, banished = rule_set.status("Released"), rule_set.status("excluded from the reservation")
    assert released is not None
    assert banished is not None
    assert rule_set.may_become(code, released, banished)
    assert not rule_set.may_become(code, banished, banished)
    jail, tribal = rule_set.location("Local Jail"), rule_set.location("tribal jail")
    assert jail is not None
    assert tribal is not None
    assert tribal.custodial
    assert "Tribal Detention" in jail.next
    assert rules.rule_set("VA", NOON).code("Tribal Court", "Banishment") is None


def test_a_54th_file_is_told_in_its_own_words(rule_files: Written) -> None:
    rules = load_rules(rule_files(**{TRIBAL: EXAMPLES[TRIBAL]}))
    code = rules.rule_set("AZ", NOON).codes["Tribal Court", "Banishment"]
    sample = sampler(rules, "AZ", NOON)
    assert sample(code, "en") == "VN: John Sample was ordered to stay away on Nov 22, 2025. In an emergency call 911."
    spanish = sample(code, "es")
    assert spanish is not None
    assert spanish.startswith("VN: El 22 nov 2025 se ordeno a John Sample mantenerse fuera.")


def test_a_sentencing_hearing_comes_after_a_finding_of_guilt(rule_files: Written) -> None:
    """Specification §4.1.1.2, as a jurisdiction writes it."""
    rule_set = load_rules(rule_files(**{TRIBAL: EXAMPLES[TRIBAL]})).rule_set("AZ", NOON)
    (order,) = rule_set.codes["Court", "Sentencing Hearing"].order
    assert order.after("Court", "Disposition")
    assert not order.after("Prosecution", "Charging Decision")
    assert order.statuses == ("Waiting for Sentencing",)


def test_the_guide_names_every_section_and_every_field() -> None:
    from processors.rules.sections import SECTIONS, EventEntry  # noqa: PLC0415  read here alone

    assert all(f"[[{name}]]" in GUIDE for name in SECTIONS)
    assert all(f"`{field.alias or name}`" in GUIDE for name, field in EventEntry.model_fields.items())
