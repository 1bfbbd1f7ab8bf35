import json
from typing import Any

import pytest

from processors.domain.submission import Agency, Case, Compact, NotificationSubtype, Place
from processors.ingest.read.formats import MAX_BYTES
from tests.ingest.records import JOHN, NOW, RECAPTURE, accepted_record, read, rejection, submission, with_changes

DEPARTURE = with_changes(
    RECAPTURE,
    event_type="Interstate Compact",
    event_subtype="Departure",
    notification_type="Movement",
    compact={"sending_state": "VA", "receiving_state": "NC"},
)


def test_every_field_is_taken() -> None:
    found = submission(
        with_changes(
            DEPARTURE,
            operation="Update",
            refers_to="JAIL-0",
            sent_at="2026-11-02T18:04:11Z",
            event_id="NOD-991",
            case={"number": "CR26-1", "court": "Henrico Circuit Court"},
            status="Incarcerated",
            location={"kind": "Community", "name": "Raleigh, NC"},
            from_location={"kind": "State Prison", "name": "Nottoway"},
            compact={"sending_state": "va", "receiving_state": "NC", "case_number": "1203344-2", "report_by": "20261109"},
            remarks="for the agency",
            details={"Bail": "500"},
            notification_subtypes=[
                {"subtype": "Validate", "validations": ["Date", "Previous Event"]},
                {"subtype": "Expect Subsequent Event"},
            ],
        )
    )
    assert found.agency == Agency("VA0430000", "Virginia Jail", "VA")
    assert (found.operation, found.refers_to, found.event_id, found.remarks) == ("Update", "JAIL-0", "NOD-991", "for the agency")
    assert found.case == Case("CR26-1", "Henrico Circuit Court")
    assert (found.status, found.location, found.from_location) == (
        "Incarcerated",
        Place("Community", "Raleigh, NC"),
        Place("State Prison", "Nottoway"),
    )
    assert found.compact == Compact("VA", "NC", "1203344-2", "2026-11-09")
    assert found.details == {"Bail": "500"}
    assert found.notification_subtypes == (
        NotificationSubtype("Validate", ("Date", "Previous Event")),
        NotificationSubtype("Expect Subsequent Event"),
    )


def test_the_dates_go_with_the_message() -> None:
    found = accepted_record(with_changes(RECAPTURE, action_at="2026-11-02"))
    assert (found.action_at, found.past_from, found.date_only) == (1_793_595_600_000, 1_793_682_000_000, True)
    assert (found.kind, found.message_id, found.received_at) == ("submission", "JAIL-1", NOW)


def test_a_time_without_offset_is_the_agencys_own() -> None:
    hawaii = with_changes(RECAPTURE, agency={"ori": "HI0010000", "state": "HI"}, action_at="2026-11-02T07:40:00")
    assert accepted_record(hawaii).action_at == accepted_record(with_changes(RECAPTURE, action_at="2026-11-02T17:40:00Z")).action_at


def test_blanks_nulls_and_small_letters_make_no_other_message() -> None:
    untidy = with_changes(
        RECAPTURE, message_id=" JAIL-1\n", agency={"ori": " va0430000", "name": "Virginia Jail", "state": "va"}, status=" "
    )
    assert accepted_record(untidy | {"case": None, "operation": None}) == accepted_record(RECAPTURE)


def test_unknown_fields_are_ignored_and_named_in_the_journal() -> None:
    odd = with_changes(RECAPTURE, priority=1, agency=RECAPTURE["agency"] | {"fax": "1"}) | {"+1 804 555 1007": "x"}
    (verdict,) = read(odd).verdicts
    assert submission(odd) == submission(RECAPTURE)
    assert "fax, priority and 1 more" in verdict.detail
    assert "804" not in verdict.detail


def test_many_unknown_fields_do_not_fill_the_journal() -> None:
    (verdict,) = read(RECAPTURE | {f"field_{n}": n for n in range(500)}).verdicts
    assert verdict.detail.endswith("and 490 more.")


REJECTIONS: list[tuple[str, dict[str, Any]]] = [
    ("missing_field", {"message_id": None}),
    ("missing_field", {"message_id": "  "}),
    ("missing_field", {"agency": None}),
    ("missing_field", {"agency": {"name": "Virginia Jail"}}),
    ("missing_field", {"event_subtype": None}),
    ("missing_field", {"notification_type": None}),
    ("missing_field", {"notification_subtypes": [{"validations": []}]}),
    ("missing_field", {"offenders": [{"identifiers": [{"scheme": "SID"}]}]}),
    ("wrong_type", {"message_id": 7}),
    ("wrong_type", {"agency": "VA0430000"}),
    ("wrong_type", {"event_type": 1}),
    ("wrong_type", {"offenders": {"0": JOHN}}),
    ("wrong_type", {"offenders": [{"birth_date": 19810517}]}),
    ("wrong_type", {"details": {"bail": 500}}),
    ("event_type_count", {"event_type": None}),
    ("event_type_count", {"event_type": ""}),
    ("event_type_count", {"event_type": ["Jail", "Court"]}),
    ("unknown_code", {"event_type": "Zoo"}),
    ("unknown_code", {"event_type": "jail"}),
    ("unknown_code", {"event_subtype": "Vanishing"}),
    ("unknown_code", {"notification_type": "Rumour"}),
    ("unknown_code", {"notification_subtypes": [{"subtype": "Perhaps"}]}),
    ("unknown_code", {"notification_subtypes": [{"subtype": "Validate", "validations": ["Weather"]}]}),
    ("unknown_code", {"operation": "Replace"}),
    ("unknown_code", {"compact": {"sending_state": "GU"}}),
    ("subtype_not_allowed", {"event_subtype": "Court Hearing"}),
    ("subtype_not_allowed", {"notification_type": "Movement"}),
    ("no_notification_subtype", {"notification_subtypes": None}),
    ("no_notification_subtype", {"notification_subtypes": []}),
    ("no_offender", {"offenders": None}),
    ("no_offender", {"offenders": []}),
    ("offender_not_identified", {"offenders": [{}]}),
    ("offender_not_identified", {"offenders": [JOHN, {"name": {"full": "Jack Sample"}}]}),
    ("offender_not_identified", {"offenders": [{"birth_date": "1981-05-17"}]}),
    ("offender_not_identified", {"offenders": [{"identifiers": [{"scheme": "SID", "value": "UNKNOWN"}]}]}),
    ("unreadable_date", {"action_at": None}),
    ("unreadable_date", {"action_at": "soon"}),
    ("unreadable_date", {"action_at": "2026-11-02T24:00:00Z"}),
    ("unreadable_date", {"sent_at": "yesterday"}),
    ("unreadable_date", {"offenders": [JOHN | {"birth_date": "1981-05-32"}]}),
    ("unreadable_date", {"offenders": [JOHN | {"birth_date": "17.5.1981"}]}),
    ("unreadable_date", {"compact": {"report_by": "2026-02-30"}}),
    ("bad_id", {"message_id": "M" * 257}),
    ("bad_id", {"message_id": "M\u00001"}),
    ("bad_id", {"message_id": "M\u202e1"}),
    ("bad_id", {"refers_to": "M\nN"}),
    ("bad_id", {"agency": {"ori": "VA\t1"}}),
    ("bad_id", {"offenders": [{"identifiers": [{"scheme": "SID", "value": "1" * 257}]}]}),
    ("too_long", {"status": "x" * 1_025}),
    ("too_long", {"location": {"kind": "x" * 1_025}}),
    ("too_long", {"offenders": [JOHN | {"name": {"full": "x" * 257}}]}),
    ("too_complex", {"offenders": [JOHN] * 51}),
    ("too_complex", {"offenders": [JOHN | {"aliases": [{"full": "x"}] * 65}]}),
]


@pytest.mark.parametrize(("reason", "changes"), REJECTIONS)
def test_what_is_wrong_is_refused_with_its_reason(reason: str, changes: dict[str, Any]) -> None:
    base = DEPARTURE if "compact" in changes else RECAPTURE
    assert rejection(with_changes(base, **changes)) == reason


def test_a_rejection_names_the_message_and_its_agency_if_they_can_be_read() -> None:
    (verdict,) = read(with_changes(RECAPTURE, event_type="Zoo")).verdicts
    assert (verdict.message_id, verdict.ori) == ("JAIL-1", "VA0430000")
    (verdict,) = read(b"{").verdicts
    assert (verdict.message_id, verdict.ori) == ("-", "-")
    (verdict,) = read(with_changes(RECAPTURE, message_id="M" * 300)).verdicts
    assert verdict.message_id == "-"


def test_a_rejection_tells_nobodys_name_or_number() -> None:
    for _, changes in REJECTIONS:
        (verdict,) = read(with_changes(RECAPTURE, **changes)).verdicts
        assert not {"Sample", "VA1234567", "1981"} & set(verdict.detail.split())


def test_a_cancel_of_nothing_named_goes_on_to_be_flagged() -> None:
    assert submission(with_changes(RECAPTURE, operation="Cancel")).refers_to is None


def test_an_agency_of_no_state_is_judged_by_the_national_rules() -> None:
    assert submission(with_changes(RECAPTURE, agency={"ori": "USICE0001"})).agency.state is None


# --- as JSON -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["message_id", "event_subtype", "priority"])
def test_a_name_given_twice_is_refused(name: str) -> None:
    text = json.dumps(RECAPTURE)
    assert rejection(f'{{"{name}": "JAIL-1", "{name}": "JAIL-2", {text[1:]}'.encode()) == "doubled_field"


def test_two_event_types_are_refused_as_such() -> None:
    assert rejection(f'{{"event_type": "Court", {json.dumps(RECAPTURE)[1:]}'.encode()) == "event_type_count"


def test_a_name_given_twice_within_an_offender_is_refused() -> None:
    text = json.dumps(RECAPTURE).replace('"scheme": "SID"', '"scheme": "FBI", "scheme": "SID"')
    assert rejection(text.encode()) == "doubled_field"


@pytest.mark.parametrize("remarks", ['say "no"', "back\\slash", "ends with \\", '\\"', "ünïcödé", "emoji 🚨", 'a \\" b'])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_quotes_and_backslashes_are_no_second_name(remarks: str, *, ascii_only: bool) -> None:
    text = json.dumps(RECAPTURE | {"remarks": remarks}, ensure_ascii=ascii_only)
    assert submission(text.encode()).remarks == remarks
    assert submission(text.replace("\\\\", "\\u005c").replace('\\"', "\\u0022").encode()).remarks == remarks


@pytest.mark.parametrize(
    ("reason", "raw"),
    [
        ("malformed", b"{"),
        ("malformed", b'{"message_id": "JAIL-1",}'),
        ("malformed", b"{'message_id': 'JAIL-1'}"),
        ("malformed", b'{"message_id": NaN}'),
        ("malformed", b'{"message_id": 1e999}'),
        ("malformed", b'{"message_id": ' + b"9" * 10_000 + b"}"),
        ("malformed", b'{"message_id": "\\ud800"}'),
        ("malformed", b'{"message_id": "\x00"}'),
        ("malformed", b"{}{}"),
        ("malformed", json.dumps(RECAPTURE).encode()[:-10]),
        ("bad_encoding", b'{"message_id": "\xff"}'),
        ("bad_encoding", json.dumps(RECAPTURE | {"status": "ü"}, ensure_ascii=False).encode("latin-1")),
        ("too_complex", b'{"x": ' + b"[" * 70 + b"]" * 70 + b"}"),
        ("too_complex", b'{"x": ' + b"[" * 200_000),
        ("too_complex", b'{"x":' * 5_000 + b"1" + b"}" * 5_000),
        ("unknown_format", b""),
        ("unknown_format", b" \n"),
        ("unknown_format", b"[1]"),
        ("unknown_format", b'"text"'),
        ("unknown_format", b"hello"),
        ("unknown_format", b"\xff\xd8\xff\xe0"),
        ("too_large", b'{"x": "' + b"y" * MAX_BYTES + b'"}'),
        ("missing_field", b"{}"),
    ],
)
def test_what_is_no_json_document_is_refused_with_its_reason(reason: str, raw: bytes) -> None:
    assert rejection(raw) == reason


def test_brackets_within_texts_nest_nothing() -> None:
    assert submission(RECAPTURE | {"remarks": "[{" * 500}).remarks == "[{" * 500


def test_the_largest_message_is_taken() -> None:
    raw = json.dumps(RECAPTURE).encode()
    assert submission(raw + b" " * (MAX_BYTES - len(raw))) == submission(RECAPTURE)
    assert rejection(raw + b" " * (MAX_BYTES - len(raw) + 1)) == "too_large"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_may_have_a_byte_order_mark_and_white_space(encoding: str) -> None:
    assert submission(f"\n\t {json.dumps(RECAPTURE)}\n".encode(encoding)) == submission(RECAPTURE)
