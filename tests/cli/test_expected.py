"""`vn expected list`: who owes what by when, for people and for programs."""

import json
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from processors.cli import expected
from processors.domain.expectation import Expectation, ExpectationState
from tests.cli.given import AT

DAY = 86_400_000


def owed(number: int, state: ExpectationState, *, by: str | None, days: int | None) -> Expectation:
    return Expectation(
        expectation_id=f"o1-{number}",
        message_id=f"M-{number}",
        ori="VA0010000",
        offender="o1",
        jurisdiction="VA",
        state=state,
        expects="Progress Report",
        owed_by=f"compact office of {by}",
        rule="ICAOS Rule 4.106",
        text="A progress report is sent within 30 calendar days of its request.",
        since=AT,
        deadline=None if days is None else AT + days * DAY,
        last_day=None if days is None else f"2026-11-{days:02}",
        owing_state=by,
    )


KNOWN = (
    owed(1, "open", by=None, days=None),
    owed(2, "open", by="NC", days=20),
    owed(3, "overdue", by="VA", days=10),
    owed(4, "met", by="VA", days=5),
)


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    class Known:
        source = "Kafka"

        def expectations(self) -> dict[str, Expectation]:
            return {each.expectation_id: each for each in KNOWN}

    monkeypatch.setattr(expected, "UserClient", lambda _: None)
    monkeypatch.setattr(expected, "Settings", lambda: SimpleNamespace(rules_dir=None))
    monkeypatch.setattr(expected, "open_view", lambda _: nullcontext(Known()))


def listed(*options: str) -> str:
    result = CliRunner().invoke(expected.app, ["list", *options])
    assert result.exception is None, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        ((), ["M-3", "M-2", "M-1"]),
        (("--overdue",), ["M-3"]),
        (("--all",), ["M-4", "M-3", "M-2", "M-1"]),
        (("--owed-by", "nc"), ["M-2"]),
        (("--all", "--owed-by", "VA"), ["M-4", "M-3"]),
    ],
)
def test_what_is_owed_is_listed_by_its_deadline(options: tuple[str, ...], messages: list[str]) -> None:
    assert [json.loads(line)["message_id"] for line in listed("--json", *options).splitlines()] == messages


def test_a_person_reads_the_last_day_where_the_owing_state_is_and_a_program_the_instant() -> None:
    (line,) = [line for line in listed().splitlines() if "M-2" in line]
    assert [cell.strip() for cell in line.strip("│┃ ").split("│")] == [
        "M-2",
        "2026-11-20",
        "open",
        "Progress Report",
        "compact office of NC",
        "ICAOS Rule 4.106",
    ]
    row = json.loads(listed("--json", "--owed-by", "NC"))
    assert (row["deadline"][-1], row["last_day"], row["owing_state"]) == ("Z", "2026-11-20", "NC")


def test_nothing_overdue_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.cli.test_expected.KNOWN", ())
    assert listed("--overdue") == "Nothing is overdue.\n(from Kafka)\n"
