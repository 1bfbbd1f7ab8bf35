"""`vn try` shows what would be told to whom, or why not, without a broker."""

import json
from pathlib import Path

import pytest

from processors.rehearsal.trial import run_trial
from processors.rules.load import load_rules
from processors.runtime.decide.driver import START
from tests.cli.given import Run
from tests.stories.builders import BAKER, registration, submission

EXAMPLE = str(Path(__file__).parents[2] / "examples" / "xml" / "icots-departure.xml")
AT = "2026-10-20T13:30:00-04:00"


def lines(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def submissions(*documents: dict[str, object]) -> list[bytes]:
    return [json.dumps(each).encode() for each in documents]


def test_a_message_is_shown_with_every_text_and_decision(vn: Run) -> None:
    code, out, err = vn("try", EXAMPLE, "--at", AT)
    assert (code, err) == (0, "")
    assert "one registrant of every offender is assumed" in out
    assert "ICOTS-NOD-931 would be told to 1 registrant" in out
    assert "VN: John Q Sample left Virginia for North Carolina on Oct 20, 2026. In an emergency call 911." in out
    assert [stage in out for stage in ("read", "identify", "dedupe", "validate", "match", "deliver")] == [True] * 6


def test_what_is_sent_is_delivered_and_a_call_confirmed(vn: Run, tmp_path: Path) -> None:
    people = tmp_path / "people.json"
    contacts = [{"channel": channel, "address": "8045551007", "verified": True} for channel in ("sms", "voice")]
    people.write_bytes(*submissions(registration("R-1", contacts=contacts)))
    message = tmp_path / "message.json"
    message.write_bytes(*submissions(submission()))
    code, out, _ = vn("try", str(message), "--registrations", str(people), "--at", "2026-11-02T12:00:00-05:00")
    assert (code, out.count("attempted"), out.count("is delivered"), out.count("is confirmed")) == (0, 2, 1, 1), out
    assert "lease_ended" not in out


def test_it_says_why_nobody_would_be_told(vn: Run) -> None:
    code, out, _ = vn("try", EXAMPLE, "--at", "2026-11-25T09:00:00-05:00")
    assert (code, "ICOTS-NOD-931 would be told to nobody: past" in out) == (0, True)
    code, out, _ = vn("try", EXAMPLE.replace("icots-departure", "bad-orphan-validation"))
    assert (code, "would be told to nobody: orphan_validation" in out) == (0, True)


def test_for_programs_it_is_one_object_a_line(vn: Run, tmp_path: Path) -> None:
    file, people = tmp_path / "submissions", tmp_path / "registrations"
    file.write_bytes(b"\n".join(submissions(submission(message_id="M-1"), submission(message_id="M-2", offenders=[BAKER]))))
    people.write_bytes(
        b"\n".join(submissions(registration("R-1"), registration("R-2", contacts=[{"channel": "sms", "address": "911"}], offender=BAKER)))
    )
    code, out, err = vn("try", str(file), "--registrations", str(people), "--at", "2026-11-02T12:00:00-05:00", "--json")
    assert (code, err) == (0, "")
    told, untold = lines(out)
    assert (told["message_id"], [each["registrant_id"] for each in told["messages"]]) == ("M-1", ["R-1"])  # type: ignore[attr-defined]
    assert (untold["message_id"], untold["messages"], untold["decisions"][-1]["reason"]) == ("M-2", [], "no_registration")  # type: ignore[index]


def test_a_registration_that_would_be_refused_is_named(vn: Run, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("registration_id,registrant_id,source,sid,sms\nV-1,R-1,VINE,VA1234567,911\n")
    code, out, _ = vn("try", EXAMPLE, "--registrations", str(people), "--at", AT)
    assert code == 0
    assert "registration V-1 refused, no_contact: No contact can be used: contact 1 is an emergency number." in out
    assert "would be told to nobody: no_registration" in out


def test_a_file_that_breaks_says_where(vn: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"message_id": "M-1",\n}')
    code, out, err = vn("try", str(tmp_path / "broken.json"))
    assert (code, out) == (1, "")
    assert "broken.json, line 2, column 1: the JSON is not well-formed; nothing of it was sent: fix it" in err


def test_messages_are_tried_together_in_their_order() -> None:
    first, second = submission(message_id="M-1"), submission(message_id="M-2")
    trial = run_trial(submissions(first, second), None, START, load_rules())
    assert [(each.message_id, bool(each.messages)) for each in trial.outcomes] == [("M-1", True), ("M-2", False)]
    assert trial.outcomes[1].decisions[-1].reason == "duplicate"


@pytest.mark.parametrize("raw", [b"\x00\x01", b"<a/>", b"{}"])
def test_what_cannot_be_read_is_an_outcome_too(raw: bytes) -> None:
    (outcome,) = run_trial([raw], None, START, load_rules()).outcomes
    assert (outcome.message_id, outcome.messages, outcome.decisions[0].outcome) == ("-", (), "rejected")


@pytest.mark.parametrize(
    "document",
    [
        registration("R-1"),
        submission(event_subtype="Escapade", remarks="call 804 555 1007"),
        {"message_id": "M-1", "remarks": "ann@example.org"},
    ],
    ids=["a registration", "a number in the remarks", "an address in what is no message"],
)
def test_a_refused_message_that_holds_an_address_is_an_outcome_too(document: dict[str, object]) -> None:
    (found,) = run_trial(submissions(document), None, START, load_rules()).outcomes
    assert [each.outcome for each in found.decisions] == ["rejected"]
