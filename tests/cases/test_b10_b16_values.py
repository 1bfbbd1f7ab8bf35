"""Numbers, units, logical types, sentinels, zones, languages and telephone numbers (B10 to B14, B16, B26)."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from processors.domain.journal import Unreadable
from processors.domain.registration import Contact, Registration
from processors.ingest.read.dates import is_first_day, is_no_date
from processors.ingest.read.decide import READ
from processors.rules.files import BadRules
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from processors.runtime.wire.codec import Codec
from processors.stage import Record
from processors.topics import RECEIPTS, REGISTRATIONS, SUBMISSIONS
from tests.cases.given import Schemas, dead_letters, registrants_told, sent_as_avro
from tests.ingest.records import (
    CONTEXT,
    NOW,
    RECAPTURE,
    RECEIPT,
    REGISTRATION,
    accepted_record,
    opened_contacts,
    read,
    submission,
    with_changes,
)
from tests.ingest.records import rejection as refused_document
from tests.stories.builders import registration as registration_of_walker
from tests.stories.builders import submission as escape


def registration(**changes: Any) -> Registration:
    return msgspec.json.decode(accepted_record(with_changes(REGISTRATION, **changes), REGISTRATIONS).body, type=Registration)


def rejection(**changes: Any) -> tuple[str, str]:
    """Return reason and sentence of a registration that is refused."""
    sent = with_changes(REGISTRATION, **changes)
    (verdict,) = read(sent, REGISTRATIONS).verdicts
    return refused_document(sent, REGISTRATIONS), verdict.detail


def contacts(*sent: tuple[str, Any], **changes: Any) -> tuple[Contact, ...]:
    found = registration(contacts=[{"channel": channel, "address": address, "verified": True} for channel, address in sent], **changes)
    return opened_contacts(found)


def with_number(document: dict[str, Any], field: str, number: str) -> bytes:
    """The document as JSON, one field of which, wherever it is, is a number written so."""
    text = json.dumps({**document, field: ""} if field != "address" else document)
    return re.sub(rf'("{field}": )"[^"]*"', lambda found: found[1] + number, text).encode()


# --- B10, B11: numbers ---------------------------------------------------------------------------------------------------

SECONDS, MICROSECONDS, MILLISECONDS = 1_893_456_000, 1_893_456_000_000_000, 1_893_456_000_000


@pytest.mark.parametrize(
    "number",
    [
        10**25,
        10**20,
        2**63,
        2**63 - 2,
        2**64,
        -(2**63),
        -1,
        0,
        1,
        SECONDS,
        MICROSECONDS,
        MICROSECONDS * 1000,
        253_402_387_200_000,
        253_402_300_799,  # the end of the year 9999 in seconds: as milliseconds it is in 1978
        20261102174000,
    ],
)
@pytest.mark.parametrize("field", ["created_at", "expires_at"])
def test_b10_b11_a_number_that_cannot_be_milliseconds_is_refused(field: str, number: int) -> None:
    reason, sentence = rejection(**{field: number})
    assert reason == "unreadable_date"
    assert f"The field {field} is a number that is not Unix milliseconds" in sentence


def test_b10_b11_also_in_a_receipt() -> None:
    receipt = {"reference": f"R-1.{'0' * 20}", "status": "delivered", "provider": "example"}
    for number in (10**25, SECONDS, MICROSECONDS, 0):
        assert refused_document(receipt | {"occurred_at": number}, RECEIPTS) == "unreadable_date"
    assert accepted_record(receipt | {"occurred_at": MILLISECONDS}, RECEIPTS).kind == "receipt"


@pytest.mark.parametrize("value", [MILLISECONDS, str(MILLISECONDS), "2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000+00:00"])
def test_b11_milliseconds_and_iso_8601_are_the_same_time(value: Any) -> None:
    assert registration(expires_at=value).expires_at == MILLISECONDS


@pytest.mark.parametrize(
    ("value", "unit"), [(SECONDS, "seconds"), (str(SECONDS), "seconds"), (MICROSECONDS, "microseconds"), (20261102174000, "one number")]
)
def test_b11_the_sentence_says_which_unit_it_looks_like(value: Any, unit: str) -> None:
    assert unit in rejection(expires_at=value)[1]


@pytest.mark.parametrize(
    "written", ["1893456000000.0", "1.893456e12", "1.893456E+12", "1893456000000.25", '"1893456000000.0"', '"1893456000000."']
)
def test_b10_milliseconds_with_a_fraction_or_an_exponent_are_milliseconds(written: str) -> None:
    """Found as a variant: receipts and registrations of programs without whole numbers were refused as of the wrong kind."""
    for base, topic, field in (
        (REGISTRATION, REGISTRATIONS, "expires_at"),
        (RECEIPT, RECEIPTS, "occurred_at"),
        (RECAPTURE, SUBMISSIONS, "action_at"),
    ):
        if topic is not SUBMISSIONS or written[0] != '"':
            body = msgspec.json.decode(accepted_record(with_number(base, field, written), topic).body)
            assert body[field] in {MILLISECONDS, "2030-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("written", "unit"), [("1793640000.123", "seconds"), ("1e25", "microseconds"), ("-1.0", "no time"), ("0.0", "no time")]
)
@pytest.mark.parametrize("field", ["created_at", "expires_at"])
def test_b10_such_a_number_of_another_unit_is_refused_with_its_sentence(field: str, written: str, unit: str) -> None:
    (verdict,) = read(with_number(REGISTRATION, field, written), REGISTRATIONS).verdicts
    assert (verdict.reason, unit in verdict.detail) == ("unreadable_date", True)


@pytest.mark.parametrize("written", ["8045551007.0", "8.045551007e9", "1.8045551007E+10"])
def test_b10_a_telephone_number_that_became_a_fraction_is_kept(written: str) -> None:
    sent = with_number(REGISTRATION | {"contacts": [{"channel": "sms", "address": "number", "verified": True}]}, "address", written)
    found = msgspec.json.decode(accepted_record(sent, REGISTRATIONS).body, type=Registration)
    assert opened_contacts(found) == (Contact("sms", "+18045551007", verified=True),)


@pytest.mark.parametrize("count", [3_651, 10**9, 10**25])
@pytest.mark.parametrize("field", ["count", "otherwise"])
def test_b10_a_deadline_of_a_rule_file_is_no_end_of_days_away(tmp_path: Path, field: str, count: int) -> None:
    """Found as a variant: with 10^9 business days a stage counted them one by one, to the last day of the calendar."""
    counts = {"count": 5, "otherwise": 5} | {field: count}
    lines = [f'{name} = "x"' for name in ("name", "rule", "expects", "text", "source")]
    lines += ['unit = "business days"', 'raised_by = ["arrival"]', 'owed_by = "sending state"', 'owed_to = "receiving state"']
    lines += [f"{name} = {number}" for name, number in counts.items()]
    (tmp_path / "VA.toml").write_text("\n".join(["[[deadline]]", *lines]) + "\n")
    with pytest.raises(BadRules, match=f"`{field}` cannot be {count}: should be less than or equal to 3650"):
        load_rules(tmp_path)


def test_b11_seconds_end_in_a_dead_letter_and_not_in_1970(driver: PipelineDriver) -> None:
    driver.register(registration_of_walker("R-1", expires_at=SECONDS), registration_of_walker("R-2", expires_at=MILLISECONDS))
    driver.submit(escape())
    assert registrants_told(driver) == ["R-2"]
    assert dead_letters(driver) == [("read", "unreadable_date")]


def times(kind: Any) -> dict[str, Any]:
    return {"type": "record", "name": "Sent", "fields": [{"name": "time", "type": kind}]}


@pytest.mark.parametrize(
    ("logical", "datum", "expected"),
    [
        ({"type": "long", "logicalType": "timestamp-millis"}, MILLISECONDS, "2030-01-01T00:00:00.000Z"),
        ({"type": "long", "logicalType": "timestamp-micros"}, MICROSECONDS, "2030-01-01T00:00:00.000Z"),
        ({"type": "long", "logicalType": "local-timestamp-millis"}, MILLISECONDS, "2030-01-01T00:00:00.000"),
        ({"type": "long", "logicalType": "local-timestamp-micros"}, MICROSECONDS, "2030-01-01T00:00:00.000"),
        ({"type": "int", "logicalType": "date"}, 21_915, "2030-01-01"),
        ({"type": "int", "logicalType": "date"}, -1, "1969-12-31"),
        ({"type": "long", "logicalType": "timestamp-millis"}, 2**62, 2**62),
        ({"type": "long", "logicalType": "timestamp-micros"}, 253_402_318_799_999_999, 253_402_318_799_999),
        ({"type": "long", "logicalType": "timestamp-micros"}, 2**63 - 1, 2**63 - 1),
        ("long", MILLISECONDS, MILLISECONDS),
        ({"type": "string", "logicalType": "uuid"}, "2030", "2030"),
    ],
)
@pytest.mark.parametrize("union", [[], ["null"], ["null", "string"]])
def test_b11_avro_is_read_by_its_logical_type_in_every_union(logical: Any, datum: Any, expected: Any, union: list[Any]) -> None:
    plain = {key: part for key, part in logical.items() if key != "logicalType"} if isinstance(logical, dict) else logical
    kinds = [each for each in union if each != (plain["type"] if isinstance(plain, dict) else plain)]
    sent = sent_as_avro(times([*kinds, logical] if kinds else logical), {"time": datum})
    assert sent == {"time": expected}


@pytest.mark.parametrize(
    ("kind", "datum", "expected"),
    [
        ({"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 0}, b"\x75\x7c\x3b", "7699515"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 12}, b"\x01\xdf\x8f\x07\xcf", "8045660111"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}, b"\xff", "-0.01"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 3}, b"\x04\xd2", "1.234"),
        ({"type": "fixed", "name": "Number", "size": 4, "logicalType": "decimal", "precision": 9}, b"\x00\x75\x7c\x3b", "7699515"),
        ({"type": "fixed", "name": "Id", "size": 16, "logicalType": "uuid"}, bytes(range(16)), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        ({"type": "long", "connect.name": "io.debezium.time.Timestamp"}, MILLISECONDS, "2030-01-01T00:00:00.000"),
        ({"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"}, MICROSECONDS, "2030-01-01T00:00:00.000"),
        ({"type": "int", "connect.name": "io.debezium.time.Date"}, 21_915, "2030-01-01"),
        ({"type": "string", "connect.name": "io.debezium.time.ZonedTimestamp"}, "2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
    ],
    ids=str,
)
def test_b11_what_databases_send_is_read_too(kind: Any, datum: Any, expected: str) -> None:
    """Found as a variant: a number that a database sends as a decimal was taken in base64, so that it was nobody's."""
    assert sent_as_avro(times(kind), {"time": datum}) == {"time": expected}
    assert sent_as_avro(times(["null", kind]), {"time": datum}) == {"time": expected}


@pytest.mark.parametrize("scale", [-1, 101, "2"])
def test_b11_a_decimal_of_no_scale_is_a_dead_letter(scale: Any) -> None:
    schema = times({"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": scale})
    found = Codec(registry=Schemas(schema)).decode_external(b"\0\0\0\0\1\2\1")
    assert isinstance(found, Unreadable)
    assert found.reason in {"malformed", "unknown_schema"}


def test_b11_a_union_of_a_day_and_an_instant_is_read_by_the_branch_it_is_in() -> None:
    union = ["null", {"type": "int", "logicalType": "date"}, "string"]
    assert sent_as_avro(times(union), {"time": 21_915}) == {"time": "2030-01-01"}
    assert sent_as_avro(times(union), {"time": ("string", "soon")}) == {"time": "soon"}
    assert sent_as_avro(times(union), {"time": None}) == {}


def test_b11_a_submission_of_an_agencys_own_schema_is_taken_with_its_times() -> None:
    schema = {
        "type": "record",
        "name": "Sent",
        "fields": [
            {"name": name, "type": ["null", "string", {"type": "long", "logicalType": "timestamp-micros"}]}
            for name in ("action_at", "sent_at")
        ]
        + [{"name": "birth_date", "type": ["null", {"type": "int", "logicalType": "date"}]}],
    }
    found = sent_as_avro(schema, {"action_at": MICROSECONDS, "sent_at": None, "birth_date": 3_328})
    person = RECAPTURE["offenders"][0] | {"birth_date": found.pop("birth_date")}
    decision = READ.decide(Record(SUBMISSIONS.name, 0, 0, None, NOW, with_changes(RECAPTURE, offenders=[person]) | found, b""), {}, CONTEXT)
    assert decision.verdicts[0].outcome == "accepted", decision.verdicts
    body = msgspec.json.decode(decision.outputs[0].value.body)  # type: ignore[union-attr]
    assert (body["action_at"], body["offenders"][0]["birth_date"]) == ("2030-01-01T00:00:00.000Z", "1979-02-11")


def test_b11_a_submission_may_give_its_times_in_milliseconds() -> None:
    assert submission(with_changes(RECAPTURE, action_at=NOW, sent_at=NOW)).action_at == "2026-11-02T19:04:11Z"
    for number in (SECONDS, MICROSECONDS, 10**25):
        assert refused_document(with_changes(RECAPTURE, action_at=number)) == "unreadable_date"


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-02 17:40:00.0000000 -05:00",
        "2026-11-02 17:40:00 -0500",
        "2026-11-02T17:40:00 -05",
        "2026-11-02T17:40:00-05:00[America/New_York]",
        "2026-11-02T17:40-05:00[!America/New_York]",
        "2026\u201111\u201102T17:40:00\u221205:00",
        "２０２６-１１-０２T17:40:00-05:00",
        "2026-11-02 22:40:00 Z",
    ],
    ids=ascii,
)
def test_b11_the_offset_is_read_as_databases_and_programs_write_it(written: str) -> None:
    assert registration(created_at=written).created_at == 1_793_659_200_000
    body = msgspec.json.decode(accepted_record(with_changes(RECAPTURE, action_at=written)).body)
    assert accepted_record(with_changes(RECAPTURE, action_at=written)).action_at == 1_793_659_200_000, body


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-02T17:40:00 America/New_York",
        "2026-11-02 17:40:00 EST",
        "2026-11-02[America/New_York]",
        "2026-11-02 17:40 +5",
        "2026-11-02T17:40:00-05:00[]",
    ],
)
def test_b11_a_zone_without_offset_is_refused(written: str) -> None:
    assert rejection(created_at=written)[0] == refused_document(with_changes(RECAPTURE, action_at=written)) == "unreadable_date"


@pytest.mark.parametrize("keyed", ["2580#", "*2580#", "2 5 8 0", "2,5,8,0", "2580 ", "25-80"])
def test_b20_a_pin_is_right_however_the_telephone_system_writes_the_keys(keyed: str) -> None:
    """Found as a variant: the call was made again and again, since the key that ends the digits made them another PIN."""
    receipt = {"reference": f"R-1.{'0' * 20}", "status": "confirmed", "provider": "example", "occurred_at": MILLISECONDS}
    first, second = (
        msgspec.json.decode(accepted_record(receipt | {"digits": digits}, RECEIPTS).body)["digits"] for digits in ("2580", keyed)
    )
    assert first == second


# --- B12: never ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "never",
    [
        "9999-12-31",
        "99991231",
        "9999-12-31T23:59:59Z",
        "9999-12-31T00:00:00",
        "9999-12-31T23:59:59.9999999",
        "9999-12-31Z",
        "9999-12-30",
        "9999-01-01T00:00:00+00:00",
        253_402_300_799_999,
        253_402_214_400_000,
        253_402_318_799_999,  # the end of the year 9999 in New York
        "+10000-01-01T04:59:59.999Z",  # as Java writes it, and JavaScript:
        "+010000-01-01T04:59:59.999Z",
        "12/31/9999",
        "31.12.9999",
        "12/31/9999 11:59:59 PM",
        "infinity",
        "Never",
        "N/A",
        "No expiration",
        2**63 - 1,
        None,
    ],
)
def test_b12_what_databases_write_for_never_does_not_expire(never: Any) -> None:
    assert registration(expires_at=never).expires_at is None


def test_b12_a_date_far_ahead_is_that_date() -> None:
    assert registration(expires_at="2999-12-31T00:00:00Z").expires_at == 32_503_593_600_000


@pytest.mark.parametrize(
    ("logical", "datum"),
    [("timestamp-millis", SECONDS), ("timestamp-micros", SECONDS), ("timestamp-micros", MILLISECONDS), ("timestamp-nanos", MICROSECONDS)],
)
def test_b11_a_wrong_unit_under_the_right_logical_type_is_refused_too(logical: str, datum: int) -> None:
    fields = [{"name": "at", "type": {"type": "long", "logicalType": logical}}]
    (at,) = sent_as_avro({"type": "record", "name": "Sent", "fields": fields}, {"at": datum}).values()
    assert at.startswith("1970-")
    assert "seconds are that were taken for milliseconds" in rejection(expires_at=at)[1]
    assert refused_document(with_changes(RECAPTURE, action_at=at)) == "unreadable_date"


NO_DATES = [
    *("1970-01-01", "1970-01-01T00:00:00Z", "1969-12-31T19:00:00-05:00", "1900-01-01", "1900-01-01 00:00:00.000", "19700101"),
    *("1970-01-01 00:00:00 UTC", "1900-01-01 00:00:00.0 -05:00", "1900-01-01T00:00:00-05:00[America/New_York]", "1970-01-01t00:00:00z"),
    *("1970-01-01T05:00:00+05:00", "19000101T0000", "1900\u201101\u201101"),
]


@pytest.mark.parametrize("no_date", [*NO_DATES, "1970-01-01+99:99"])
def test_b12_it_is_none_where_a_date_may_be_missing(no_date: str) -> None:
    assert is_no_date(no_date)
    assert submission(with_changes(RECAPTURE, sent_at=no_date)).sent_at is None


@pytest.mark.parametrize(
    "date",
    [
        *("1970-01-02", "1970-01-01T00:00:01Z", "1970-01-01T12:00:00-05:00", "1969-12-31", "1969-12-31T00:00:00Z", "1901-01-01"),
        *("1969-12-31T19:00:00", "1970-02-01", "2026-11-02T17:40:00Z"),
    ],
)
def test_b12_the_days_beside_it_are_dates(date: str) -> None:
    assert not is_first_day(date)
    assert not is_no_date(date)


@pytest.mark.parametrize("no_date", NO_DATES)
def test_b11_b12_the_day_on_which_a_calendar_begins_is_no_date(no_date: str) -> None:
    reason, sentence = rejection(expires_at=no_date)
    assert (reason, "where they have no date" in sentence) == ("unreadable_date", True)
    assert refused_document(with_changes(RECAPTURE, action_at=no_date)) == "unreadable_date"


def test_b11_b12_but_somebody_may_be_born_on_it_and_a_receipt_is_never_lost_for_it() -> None:
    born = RECAPTURE["offenders"][0] | {"birth_date": "1970-01-01"}
    assert submission(with_changes(RECAPTURE, offenders=[born], sent_at="1970-01-01T00:00:00Z")).offenders[0].birth_date == "1970-01-01"


@pytest.mark.parametrize("unclear", ["12/31/2030", "31.12.2030", "soon", "99991231235959", "2030", "19999-12-31"])
def test_b12_what_is_neither_a_date_nor_never_is_refused(unclear: str) -> None:
    assert rejection(expires_at=unclear)[0] == "unreadable_date"


def test_b12_nobody_registered_on_that_day() -> None:
    assert rejection(created_at="9999-12-31")[0] == "unreadable_date"


@pytest.mark.parametrize(
    "no_date",
    [
        *("9999-12-31", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00", "0000-00-00 00:00:00", "1900-01-01", "1970-01-01T00:00:00Z"),
        *("12/31/9999", "00/00/0000", "N/A", "unknown", "2099-12-31"),
    ],
)
def test_b12_nor_is_a_message_lost_for_a_time_of_sending_or_a_day_to_report_that_is_none(no_date: str) -> None:
    """Found as a variant: a departure was refused for what a program writes if it has no date, or told with it as the day to report."""
    departure = {"event_type": "Interstate Compact", "event_subtype": "Departure", "notification_type": "Movement"}
    compact = {"sending_state": "VA", "receiving_state": "NC", "case_number": "1", "report_by": no_date}
    found = submission(with_changes(RECAPTURE, sent_at=no_date, compact=compact, **departure))
    assert found.compact is not None
    assert (found.sent_at, found.compact.report_by) == (None, None)


@pytest.mark.parametrize("wrong", ["11/09/2026", "2026-11", "soon"])
def test_b12_but_one_that_cannot_be_read_is_refused(wrong: str) -> None:
    assert refused_document(with_changes(RECAPTURE, sent_at=wrong)) == "unreadable_date"
    assert refused_document(with_changes(RECAPTURE, compact={"report_by": wrong})) == "unreadable_date"


def test_b12_is_told(driver: PipelineDriver) -> None:
    driver.register(registration_of_walker("R-1", expires_at="9999-12-31"))
    driver.submit(escape())
    assert registrants_told(driver) == ["R-1"]


# --- B13: zones ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "zone", ["localtime", "Factory", "posixrules", "posix/America/New_York", "right/UTC", "EDT", "Eastern", "America", "zone.tab", "+05:00"]
)
def test_b13_what_is_no_iana_zone_is_refused(zone: str) -> None:
    reason, sentence = rejection(time_zone=zone)
    assert (reason, "no zone of the IANA database" in sentence) == ("bad_registration", True)


@pytest.mark.parametrize("zone", ["localtime", "Factory", "posix/America/New_York", "Virginia/Richmond"])
def test_b13_nor_is_it_one_in_a_rule_file(tmp_path: Path, zone: str) -> None:
    """Found as a variant: all dates of a state were read in the machine's own zone."""
    (tmp_path / "VA.toml").write_text(f'[[zone]]\nzone = "{zone}"\n')
    with pytest.raises(BadRules, match="is no time zone: write one such as America/New_York"):
        load_rules(tmp_path)


def test_b13_and_one_in_another_case_is_that_zone_in_a_rule_file_too(tmp_path: Path) -> None:
    (tmp_path / "VA.toml").write_text('[[zone]]\nzone = "america/chicago"\n')
    assert load_rules(tmp_path).rule_set("VA", NOW).zone.key == "America/Chicago"


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("America/Phoenix", "America/Phoenix"),
        ("US/Eastern", "US/Eastern"),
        ("america/new_york", "America/New_York"),
        ("UTC", "UTC"),
        ("Etc/GMT+5", "Etc/GMT+5"),
    ],
)
def test_b13_an_iana_zone_is_taken_in_any_case(zone: str, name: str) -> None:
    assert registration(time_zone=zone).time_zone == name


def test_a_registration_without_zone_has_that_of_its_first_telephone_number() -> None:
    def zone(*sent: tuple[str, str]) -> str:
        return registration(contacts=[{"channel": channel, "address": address} for channel, address in sent], time_zone=None).time_zone

    assert zone(("sms", "808 555 1007")) == "Pacific/Honolulu"
    assert zone(("email", "ann@example.org"), ("voice", "787 555 1007"), ("sms", "8045551007")) == "America/Puerto_Rico"
    assert zone(("sms", "907 777 1234")) == "America/Adak,America/Anchorage"
    assert zone(("email", "ann@example.org")) == "America/New_York"
    anywhere = "America/New_York,America/Chicago,America/Denver,America/Los_Angeles"
    assert zone(("sms", "+15652355678")) == anywhere  # an area code newer than the list
    assert zone(("voice", "800 555 1007")) == anywhere  # of no place: found as a variant, it was taken for Alaska's
    assert zone(("sms", "684 234 5601")) == "Pacific/Pago_Pago"  # the area is known, though the range of the number is not
    assert zone(("sms", "340 234 5601")) == "America/St_Thomas"
    assert zone(("sms", "670 234 5601")) == "Pacific/Saipan"
    assert zone(("sms", "876 444 5601")) == "America/Jamaica"
    assert zone(("sms", "+52 1 55 1234 5678")) == zone(("sms", "+52 55 1234 5678")) == "America/Mexico_City"


# --- B14: languages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("es", "es"),
        ("ES", "es"),
        ("spa", "es"),
        ("SPA", "es"),
        ("spa-MX", "es-MX"),
        ("es-MX", "es-MX"),
        ("es-419", "es-419"),
        ("eng", "en"),
        ("fre", "fr"),
        ("fra", "fr"),
        ("ger", "de"),
        ("vie", "vi"),
        ("ht", "ht"),
        ("chr", "chr"),
        ("iw", "he"),
        ("in", "id"),
        ("zh-Hant-TW", "zh-Hant-TW"),
    ],
)
def test_b14_a_language_is_known_by_its_shortest_code(tag: str, language: str) -> None:
    assert registration(language=tag).language == language


@pytest.mark.parametrize("tag", ["sp", "esp", "ESP", "xx", "Spanish", "es_MX", "en/es", "english, please", "1", "e"])
def test_b14_what_is_no_language_is_refused(tag: str) -> None:
    reason, sentence = rejection(language=tag)
    assert (reason, "The field language" in sentence) == ("bad_registration", True)


def test_b14_spa_is_told_in_spanish(driver: PipelineDriver) -> None:
    driver.register(registration_of_walker("R-1", language="spa"), registration_of_walker("R-2", language="es"))
    driver.submit(escape())
    registrants_told(driver)
    assert len({each.body for each in driver.outbound()}) == 1
    assert {each.language for each in driver.outbound()} == {"es"}


# --- B16: telephone numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("area", ["565", "436", "729", "471", "621", "465", "837", "624", "679", "457", "948", "804"])
def test_b16_a_possible_number_is_kept_though_its_range_is_not_listed(area: str) -> None:
    assert contacts(("sms", f"+1{area}2355678")) == (Contact("sms", f"+1{area}2355678", verified=True),)


@pytest.mark.parametrize(
    "written",
    [
        "(804) 555\u22121007",
        "\uff0b1 804 555 1007",
        "001 804 555 1007",
        "00 1 (804) 555-1007",
        "'8045551007",
        '="8045551007"',
        "８０４-５５５-１００７",
        "804·555·1007",
        "804•555•1007",
        "804_555_1007",
        "804\t555\t1007",
        "[804] 555-1007",
        "(+1) 804-555-1007",
        "(+1)(804) 555-1007",
        "804-555-1007.",
        "804-555-1007,",
        "804-555-1007 ;",
        "“8045551007”",
        "☎ 804 555 1007",
        "8045551007.0",
        "18045551007.00",
    ],
    ids=ascii,
)
def test_b16_a_number_is_read_as_people_and_spreadsheets_write_it(written: str) -> None:
    assert contacts(("sms", written)) == (Contact("sms", "+18045551007", verified=True),)


def test_b16_an_exchange_code_may_lead_to_another_country() -> None:
    assert contacts(("sms", "0044 20 7946 0958")) == (Contact("sms", "+442079460958", verified=True),)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("911", "an emergency number"),
        ("9-1-1", "an emergency number"),
        ("112", "an emergency number"),
        ("+1 900 555 1234", "premium-rate"),
        ("(804) 976-1234", "premium-rate"),
        ("+44 909 879 0000", "premium-rate"),
        ("+1 976 555 1234", "premium-rate"),
        ("9999999999", "no person answers"),
        ("+1 555 555 5555", "no person answers"),
        ("+1 911 555 1234", "no person answers"),
        ("804-911-1234", "no person answers"),
        ("+1 123 456 7890", "no person answers"),
        ("804 155 1007", "no person answers"),
        ("804 555 1212", "no person answers"),
        ("+1 800 555 1212", "no person answers"),
        ("234-567-8901", "no person answers"),
        ("(987) 654-3210", "no person answers"),
        ("8045551007.5", "too few or too many digits"),
        ("555-1007", "too few or too many digits"),
        ("80455510071", "too few or too many digits"),
        ("call me", "no telephone number"),
        ("804 555 1007 or 804 555 1008", "or more than one"),
        ("8045551007/8045551008", "or more than one"),
        ("804 555 1007, 804 555 1008", "or more than one"),
        ("8045551007" + " " * 100 + "8045551008", "or more than one"),
        ("call 804 555 1007", "no telephone number"),
        ("", "no channel"),
        ("804 555 1007 ext. 12", "an extension"),
    ],
)
def test_b16_a_number_that_no_registrant_answers_is_refused_with_a_sentence(number: str, why: str) -> None:
    sent = [{"channel": "sms", "address": number}]
    reason, sentence = rejection(contacts=sent)
    assert reason == "no_contact"
    assert why in sentence or not number
    assert number not in sentence or not number


@pytest.mark.parametrize(
    "written",
    [
        "<reg7@example.org>",
        "Ann Muster <reg7@example.org>",
        '"Muster, Ann" <reg7@example.org>',
        "mailto:reg7@example.org",
        "MAILTO: reg7@example.org",
        "E-Mail: reg7@example.org",
        "reg7@example.org.",
        "reg7@example.org;",
        "reg7@example.org,",
        "'reg7@example.org'",
        "“reg7@example.org”",
        "(reg7@example.org)",
        "ｒｅｇ７＠ｅｘａｍｐｌｅ．ｏｒｇ",
        "reg7@example。org",
        "\treg7@EXAMPLE.org\r\n",
    ],
    ids=ascii,
)
def test_b16_an_email_address_is_read_as_people_copy_it(written: str) -> None:
    assert contacts(("email", written)) == (Contact("email", "reg7@example.org", verified=True),)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("reg7@example.org reg8@example.org", "no email address"),
        ("reg7@example.org; reg8@example.org", "no email address"),
        ("reg7@example.org, reg8@example.org", "no email address"),
        ("<reg7@example.org> <reg8@example.org>", "no email address"),
        ("reg7 at example.org", "no email address"),
        ("reg7@example", "no email address"),
        ("reg7@example.c", "no email address"),
        ("reg7@@example.org", "no email address"),
        ("reg7@192.0.2.1", "no email address"),
        ("none", "no email address"),
        ("noemail@noemail.com", "no person reads"),
        ("none@example.org", "no person reads"),
        ("N/A@example.org", "no person reads"),
        ("no-reply@example.org", "no person reads"),
        ("DoNotReply@example.org", "no person reads"),
    ],
)
def test_b16_what_is_no_registrants_email_address_is_refused_with_a_sentence(address: str, why: str) -> None:
    reason, sentence = rejection(contacts=[{"channel": "email", "address": address}])
    assert (reason, why in sentence, address in sentence) == ("no_contact", True, False)


def test_b16_one_refused_contact_loses_no_other_and_comes_back_in_the_journal() -> None:
    sent = [
        {"channel": "voice", "address": "911"},
        {"channel": "sms", "address": 8045551007},
        {"channel": "email"},
        {"channel": "EMAIL", "address": "ann@example.org"},
    ]
    (verdict,) = read(with_changes(REGISTRATION, contacts=sent), REGISTRATIONS).verdicts
    assert verdict.detail == (
        "Taken as registration. 2 of 4 contacts were left out: contact 1 is an emergency number, "
        "contact 3 lacks its channel or address, or holds a value of the wrong kind."
    )
    assert [each.address for each in contacts(("voice", "911"), ("sms", 8045551007), ("EMAIL", "ann@example.org"))] == [
        "+18045551007",
        "ann@example.org",
    ]


def test_many_refused_contacts_do_not_fill_the_journal() -> None:
    sent = [{"channel": "sms", "address": "911"}] * 30
    assert rejection(contacts=sent)[1].endswith("and 27 more.")


# --- codes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subtype", ["Escapes", "All", "Ausbruch"])
def test_b14_an_event_subtype_that_no_list_has_is_refused_since_nobody_would_be_told_of_it(subtype: str) -> None:
    reason, sentence = rejection(event_subtypes=["Escape", subtype])
    assert (reason, f'The event subtype "{subtype}" is not in any code list' in sentence) == ("unknown_code", True)


@pytest.mark.parametrize("chosen", [["escape"], [" ESCAPE "], ["Escape\u200b", "Court Hearing"], [""], ["", "*"], ["-"]], ids=ascii)
def test_b14_but_it_may_be_written_in_any_way_and_nothing_means_all(driver: PipelineDriver, chosen: list[str]) -> None:
    driver.register(registration_of_walker("R-1", event_subtypes=chosen))
    driver.submit(escape())
    assert registrants_told(driver) == ["R-1"]


# --- B26: birth dates ----------------------------------------------------------------------------------------------------


PARTIAL = {
    "1979-00-00": "1979",
    "1979": "1979",
    "1979-02": "1979-02",
    "1979-02-00": "1979-02",
    "1979-02-99": "1979-02",
    "1979-XX-XX": "1979",
    "1979-??-??": "1979",
    "1979-**-**": "1979",
    "1979-02-1X": "1979-02",
    "19790000": "1979",
    "1979Z": "1979",
    "1979-02-05:00": "1979-02",
    "00/00/1979": "1979",
    "1979/00/00": "1979",
    "0000-00-00": None,
    "0000-02-11": None,
    "--02-11": None,
    "197X": None,
    "XXXX-XX-XX": None,
    "9999-12-31": None,
    "1899-12-30": None,
    "1900-01-01": None,
    "1900-01-00": None,
    "0001-01-01T00:00:00": None,
    "unknown": None,
    "N/A": None,
    "Not on file": None,
    "D.O.B. unknown": None,
    "none given": None,
    "TBD": None,
    "null": None,
    "Desconocido": None,
    "?": None,
    "1979?": "1979",
    "~1979": "1979",
    "c. 1979": "1979",
    "circa 1979": "1979",
    "ABT 1979": "1979",
    "1979-02~": "1979-02",
    "1979-": "1979",
    "1979--": "1979",
    "02/00/1979": "1979",
    "00/11/1979": "1979",
    "XX.11.1979": "1979",
    "--/--/1979": "1979",
    "  /  /1979": "1979",
    "__/__/1979": "1979",
    "MM/DD/1979": "1979",
    "2/1979": "1979-02",
    "1979/02": "1979-02",
    "approx. 1979": "1979",
    "1979 (est.)": "1979",
    "born 1979": "1979",
    "1979-02-11 (est)": "1979-02-11",
    "mm/dd/yyyy": None,
    "TT.MM.JJJJ": None,
    "__/__/____": None,
    "000000": None,
    "see file": None,
    "no disponible": None,
    "2099-12-31": None,
    "12/31/2099": None,
    "2079-06-06T23:59:00": None,
    "2065-02-11": None,
    "0001-01-01T05:00:00Z": None,
    "1899-12-31T19:00:00-05:00": None,
    "1979\u201102\u201111": "1979-02-11",
    "１９７９-０２-１１": "1979-02-11",
}


@pytest.mark.parametrize(("sent", "known"), PARTIAL.items())
def test_b26_a_birth_date_counts_as_far_as_it_is_known(sent: str, known: str | None) -> None:
    person = {"identifiers": [{"scheme": "SID", "value": "VA7700123"}], "birth_date": sent}
    assert submission(with_changes(RECAPTURE, offenders=[person])).offenders[0].birth_date == known


@pytest.mark.parametrize(
    "sent",
    ["1979-02-30", "17.5.1981", "02/11/1979", "11-FEB-1979", "yesterday", "February", "1979-13", "1979-1980", "79", "1979-02-11-", "c. 79"],
)
def test_b26_what_is_no_date_is_still_refused(sent: str) -> None:
    person = {"identifiers": [{"scheme": "SID", "value": "VA7700123"}], "birth_date": sent}
    assert refused_document(with_changes(RECAPTURE, offenders=[person])) == "unreadable_date"


def test_b26_the_journal_says_so(driver: PipelineDriver) -> None:
    person = {"identifiers": [{"scheme": "SID", "value": "VA7700123"}], "birth_date": "1979-00-00"}
    driver.register(registration_of_walker("R-1"))
    driver.submit(escape(message_id="M", offenders=[person]))
    assert registrants_told(driver) == ["R-1"]
    assert "Birth dates that are not whole count as far as they go: of offender 1." in driver.verdicts("M")[0].detail
